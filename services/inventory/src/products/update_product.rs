//! `PATCH /v1/products/{sku}`: an administrator changes a product, provided it has not changed in the meantime.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use contracts::{Money, Sku};
use serde::{Deserialize, Deserializer};
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{
    Attributes, Language, Product, Translations,
    etag::{self, Expected},
    rules::Rules,
    store,
};
use crate::{App, Error, database, outbox::catalog};

/// Changes of a product. Absent fields keep their value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Sencha Green Tea", "price": {"amount": 1590, "currency": "EUR"}}))]
pub struct ProductChanges {
    /// New name in English, without control characters and not only spaces.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// New description in English; may be empty.
    #[serde(default)]
    #[schema(max_length = 5000)]
    description: Option<String>,
    /// Slug of an existing category.
    #[serde(default)]
    category: Option<String>,
    /// New price of one unit, from 1 to 100000000000 minor units.
    #[serde(default)]
    price: Option<Money>,
    /// New `https` URL or absolute path of the image, in visible ASCII characters. Null selects the image that Souk draws.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500, pattern = "^(https://[!-~]*|/([!-.0-~][!-~]*)?)$")]
    image: ImageChange,
    /// Replaces all further properties; at most 20, with the same limits as for a new product.
    #[serde(default)]
    #[schema(value_type = Option<HashMap<String, String>>)]
    attributes: Option<Attributes>,
    /// Replaces all texts in languages other than English.
    #[serde(default)]
    translations: Option<Translations>,
}

/// A change of the image. As in RFC 7396, null differs from an absent field.
#[derive(Debug, Default)]
enum ImageChange {
    /// The field is absent: keep the image.
    #[default]
    Keep,
    /// The field is null: use the image that Souk draws.
    UseDrawing,
    /// Use the image at this URL or path.
    Set(String),
}

impl<'de> Deserialize<'de> for ImageChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|image| image.map_or(Self::UseDrawing, Self::Set))
    }
}

/// Change a product
///
/// Changes the given fields and increments the version. Returns the product in English. Responds with 428 without
/// `If-Match`, with 412 if the product has changed since it was read, and with 422 if a field is invalid.
#[utoipa::path(patch, path = "/v1/products/{sku}", tag = "catalog", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "SKU of the product"),
        ("if-match" = String, Header, description = "ETag of the version that was read, or `*` for any version")),
    request_body = ProductChanges,
    responses((status = 200, description = "The changed product", body = Product,
            headers(("etag" = String, description = "Entity tag of the new version"))),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 412, description = "The product has changed since it was read", body = ProblemBody),
        (status = 422, description = "A field is invalid", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn update_product(
    State(app): State<App>,
    _: Admin,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
    Json(changes): Json<ProductChanges>,
) -> Result<Response, Problem> {
    let expected = Expected::from_headers(&headers)?;
    let product = database::run(async move {
        let mut rules = Rules::default();
        changes.name.iter().for_each(|name| rules.name(name));
        changes
            .description
            .iter()
            .for_each(|text| rules.description(text));
        changes.price.iter().for_each(|price| rules.price(*price));
        if let ImageChange::Set(image) = &changes.image {
            rules.image(image);
        }
        changes
            .attributes
            .iter()
            .for_each(|attributes| rules.attributes(attributes));
        changes
            .translations
            .iter()
            .for_each(|translations| rules.translations(translations));
        if let Some(category) = &changes.category {
            rules.known_category(store::is_category(&app.db, category).await?);
        }
        rules.finish()?;
        let mut product = store::find(&app.db, sku.as_str()).await?;
        if !expected.matches(product.version) {
            return Err(Error::Stale);
        }
        let seen = product.version;
        let ProductChanges {
            name,
            description,
            category,
            price,
            image,
            attributes,
            translations,
        } = changes;
        product.name = name.unwrap_or(product.name);
        product.description = description.unwrap_or(product.description);
        product.category = category.unwrap_or(product.category);
        product.price = price.unwrap_or(product.price);
        product.image = match image {
            ImageChange::Keep => product.image,
            ImageChange::UseDrawing => None,
            ImageChange::Set(image) => Some(image),
        };
        product.attributes = attributes.unwrap_or(product.attributes);
        product.translations = translations.unwrap_or(product.translations);
        product.version = seen + 1;
        product.index();
        store::replace(&app.db, &product, seen).await?;
        catalog::record_event(&app.db, product.sku.as_str()).await;
        Ok(product)
    })
    .await?;
    let headers = [(header::ETAG, etag::of_version(product.version))];
    Ok((headers, Json(Product::localized(product, Language::English))).into_response())
}

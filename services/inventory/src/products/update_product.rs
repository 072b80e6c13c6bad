//! `PATCH /v1/products/{sku}`: an administrator changes a product that nobody else has changed meanwhile.

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
use crate::{Error, app::App, database, outbox::catalog};

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChanges {
    /// 1 to 200 characters.
    #[serde(default)]
    name: Option<String>,
    /// At most 5000 characters.
    #[serde(default)]
    description: Option<String>,
    /// Slug of a category.
    #[serde(default)]
    category: Option<String>,
    /// Of one unit, more than 0.
    #[serde(default)]
    price: Option<Money>,
    /// Its picture; null for the one that Souk draws.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    image: Picture,
    /// All further properties anew.
    #[serde(default)]
    #[schema(value_type = Option<HashMap<String, String>>)]
    attributes: Option<Attributes>,
    /// All its texts in other languages anew.
    #[serde(default)]
    translations: Option<Translations>,
}

/// What becomes of the picture: `null` is not the same as absent (RFC 7396).
#[derive(Debug, Default)]
enum Picture {
    /// Absent.
    #[default]
    Keep,
    /// Null.
    Drawn,
    /// A place.
    At(String),
}

impl<'de> Deserialize<'de> for Picture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|image| image.map_or(Self::Drawn, Self::At))
    }
}

/// Changes a product; 428 without `If-Match`, 412 when it has changed since.
#[utoipa::path(patch, path = "/v1/products/{sku}", tag = "catalog", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The product"),
        ("if-match" = String, Header, description = "The ETag of the version that was seen")),
    request_body = ProductChanges,
    responses((status = 200, body = Product, headers(("etag" = String))),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 412, body = ProblemBody), (status = 422, body = ProblemBody), (status = 428, body = ProblemBody)))]
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
        if let Picture::At(image) = &changes.image {
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
            Picture::Keep => product.image,
            Picture::Drawn => None,
            Picture::At(place) => Some(place),
        };
        product.attributes = attributes.unwrap_or(product.attributes);
        product.translations = translations.unwrap_or(product.translations);
        product.version = seen + 1;
        product.index();
        store::replace(&app.db, &product, seen).await?;
        catalog::tell(&app.db, product.sku.as_str()).await;
        Ok(product)
    })
    .await?;
    let headers = [(header::ETAG, etag::of_version(product.version))];
    Ok((headers, Json(Product::told(product, Language::English))).into_response())
}

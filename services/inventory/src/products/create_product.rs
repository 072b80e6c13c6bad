//! `POST /v1/products`: an administrator adds a product to the catalog.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bson::DateTime;
use contracts::{Money, Sku};
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{
    Attributes, Language, Product, ProductDocument, Translations, etag, lifecycle, rules::Rules, store,
};
use crate::{App, database};

/// A product to add to the catalog.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "TEA-0042",
    "name": "Sencha Green Tea",
    "description": "First flush from Uji, 100 g.",
    "category": "tea",
    "price": {"amount": 1490, "currency": "EUR"},
    "attributes": {"origin": "Japan", "weight": "100 g"},
    "translations": {"de": {"name": "Sencha Grüntee", "description": "Erste Ernte aus Uji, 100 g."}}
}))]
pub struct NewProduct {
    /// SKU of the product, which is its key and cannot be changed.
    sku: Sku,
    /// Name in English, without control characters and not only spaces.
    #[schema(min_length = 1, max_length = 200, example = "Sencha Green Tea")]
    name: String,
    /// Description in English; may be empty.
    #[schema(max_length = 5000, example = "First flush from Uji, 100 g.")]
    description: String,
    /// Slug of an existing category.
    #[schema(example = "tea")]
    category: String,
    /// Price of one unit, from 1 to 100000000000 minor units.
    price: Money,
    /// An `https` URL or an absolute path of the product's image, in visible ASCII characters. If it is absent or null, Souk
    /// draws an image.
    #[serde(default)]
    #[schema(max_length = 500, pattern = "^(https://[!-~]*|/([!-.0-~][!-~]*)?)$")]
    image: Option<String>,
    /// Further properties as pairs of name and value, at most 20. A name has 1 to 50 letters, digits, spaces, `_` or `-`; a
    /// value has at most 200 characters.
    #[serde(default)]
    #[schema(value_type = HashMap<String, String>)]
    attributes: Attributes,
    /// Texts of the product in languages other than English.
    #[serde(default)]
    translations: Translations,
}

/// Add a product
///
/// Adds a product to the catalog. A new SKU starts without stock; a SKU that was removed before keeps its units. Responds with
/// 409 if a product with this SKU exists, and with 422 if a field is invalid.
#[utoipa::path(post, path = "/v1/products", tag = "catalog", security(("bearer" = [])), request_body = NewProduct,
    responses((status = 201, description = "The product was added", body = Product,
            headers(("location" = String, description = "Path of the product"),
                ("etag" = String, description = "Entity tag of the first version"))),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 409, description = "A product with this SKU exists", body = ProblemBody),
        (status = 422, description = "A field is invalid", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn create_product(
    State(app): State<App>,
    _: Admin,
    Json(new): Json<NewProduct>,
) -> Result<Response, Problem> {
    let product = database::run(async move {
        let mut rules = Rules::default();
        rules.name(&new.name);
        rules.description(&new.description);
        rules.price(new.price);
        new.image.iter().for_each(|image| rules.image(image));
        rules.attributes(&new.attributes);
        rules.translations(&new.translations);
        rules.known_category(store::is_category(&app.db, &new.category).await?);
        rules.finish()?;
        let product = document(new, app.db.now().await?);
        lifecycle::create(&app.db, &product).await?;
        Ok(product)
    })
    .await?;
    let location = format!("/v1/products/{}", product.sku);
    let headers = [
        (header::LOCATION, location),
        (header::ETAG, etag::of_version(product.version)),
    ];
    Ok((
        StatusCode::CREATED,
        headers,
        Json(Product::localized(product, Language::English)),
    )
        .into_response())
}

fn document(new: NewProduct, created_at: DateTime) -> ProductDocument {
    let NewProduct {
        sku,
        name,
        description,
        category,
        price,
        image,
        attributes,
        translations,
    } = new;
    let mut product = ProductDocument {
        sku,
        name,
        description,
        category,
        price,
        image,
        attributes,
        translations,
        version: 1,
        created_at,
        search: Vec::new(),
        name_tokens: Vec::new(),
        name_key: String::new(),
        name_key_de: String::new(),
        in_stock: false,
        stock_rev: 0,
    };
    product.index();
    product
}

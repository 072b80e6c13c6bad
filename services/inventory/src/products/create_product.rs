//! `POST /v1/products`: an administrator adds a product. Its stock starts at 0.

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
use crate::{app::App, database};

/// A product to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Its key, for ever.
    sku: Sku,
    /// 1 to 200 characters.
    #[schema(example = "Sencha Green Tea")]
    name: String,
    /// At most 5000 characters.
    description: String,
    /// Slug of a category.
    #[schema(example = "tea")]
    category: String,
    /// Of one unit, more than 0.
    price: Money,
    /// Its picture; drawn by Souk when there is none.
    #[serde(default)]
    image: Option<String>,
    /// Further properties, at most 20.
    #[serde(default)]
    #[schema(value_type = HashMap<String, String>)]
    attributes: Attributes,
    /// Its texts in other languages.
    #[serde(default)]
    translations: Translations,
}

/// Adds a product; 409 when the SKU is taken.
#[utoipa::path(post, path = "/v1/products", tag = "catalog", security(("bearer" = [])), request_body = NewProduct,
    responses((status = 201, body = Product, headers(("location" = String), ("etag" = String))),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
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
        Json(Product::told(product, Language::English)),
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

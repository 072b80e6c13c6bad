//! The products that load tests sell. They have separate names and are deleted after the test.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Client, Response};

/// Prefix of the SKUs of all these products.
const PREFIX: &str = "BENCH-";
/// Number of items in stock of each product.
const STOCK: i64 = 1_000_000;

/// Creates `count` products with a large stock and returns their SKUs. Requires an administrator.
pub async fn create(admin: &Client, count: usize) -> Result<Vec<String>> {
    let categories = success(admin.get("/v1/categories").await)?;
    let category = &categories["items"][0]["slug"];
    let mut skus = vec![];
    for number in 1..=count {
        let sku = format!("{PREFIX}{number}");
        let product = json!({
            "sku": sku,
            "name": format!("Bench product {number}"),
            "description": "Sold by a load test, and deleted after it.",
            "category": category,
            "price": {"amount": 1250, "currency": "EUR"},
        });
        let created = admin.post("/v1/products", product).await;
        // The product may exist already, from an interrupted run.
        if created.status != StatusCode::CONFLICT {
            let _ = success(created)?;
        }
        let stock = success(admin.get(&format!("/v1/products/{sku}/stock")).await)?;
        let missing = STOCK - stock["available"].as_i64().context("the available stock")?;
        if missing > 0 {
            let adjustment = json!({"delta": missing, "reason": "for a load test"});
            let path = format!("/v1/products/{sku}/stock-adjustments");
            let _ = success(admin.post(&path, adjustment).await)?;
        }
        skus.push(sku);
    }
    Ok(skus)
}

/// Deletes all products of load tests, including those of interrupted runs. Requires an administrator.
pub async fn delete_all(admin: &Client) -> Result<()> {
    let found = success(admin.get("/v1/products?q=bench&limit=100").await)?;
    let skus = found["items"].as_array().context("products")?.iter();
    for sku in skus
        .filter_map(|product| product["sku"].as_str())
        .filter(|sku| sku.starts_with(PREFIX))
    {
        let path = format!("/v1/products/{sku}");
        let product = admin.get(&path).await;
        let tag = product.headers.get("etag").context("an ETag")?.clone();
        let request = admin.request(Method::DELETE, &path).header("if-match", tag);
        let _ = success(admin.send(request).await)?;
    }
    Ok(())
}

fn success(response: Response) -> Result<Value> {
    ensure!(
        response.status.is_success(),
        "{}: {:#}",
        response.status,
        response.body
    );
    Ok(response.body)
}

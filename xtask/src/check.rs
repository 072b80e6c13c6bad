//! The order that proves that the system works: through the public API, the saga and every service. It belongs to an
//! account and a product of its own, and the product is deleted again, so that neither the shop nor the demo's shopper
//! ever shows anything of it.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    seed::{self, OPERATOR},
    web::Client,
};

const SHOPPER: &str = "system-check@souk.test";
const SKU: &str = "SYSTEM-CHECK";

/// Buys one item and waits until the order is confirmed. `password` is that of the account, which is registered if it does
/// not exist.
pub(crate) fn run(gateway: &str, password: &str) -> Result<()> {
    let operator = Client::login(gateway, OPERATOR.0, OPERATOR.1)?;
    // One that an interrupted check has left is used and deleted by this one.
    let product = product(&operator)?;
    let checked = buy(gateway, password, &product);
    let deleted = operator.delete(&format!("/v1/products/{SKU}"));
    checked.and(deleted.context("the check's product could not be deleted"))
}

/// The product with one item in stock.
fn product(operator: &Client) -> Result<Value> {
    let path = format!("/v1/products/{SKU}");
    if !operator.has(&path)? {
        let categories = operator.get("/v1/categories")?;
        let product = json!({
            "sku": SKU,
            "name": "System check",
            "description": "Ordered once by every `cargo xtask up`, and deleted again.",
            "category": categories["items"][0]["slug"],
            "price": {"amount": 100, "currency": "EUR"},
        });
        operator.post("/v1/products", &product)?;
    }
    let stock = operator.get(&format!("{path}/stock"))?;
    if stock["available"].as_i64().unwrap_or_default() < 1 {
        let adjustment = json!({"delta": 1, "reason": "for the check of the system"});
        operator.post(&format!("{path}/stock-adjustments"), &adjustment)?;
    }
    operator.get(&path)
}

fn buy(gateway: &str, password: &str, product: &Value) -> Result<()> {
    let shopper = Client::register(gateway, SHOPPER, password, "System check")?;
    let order = seed::place(&shopper, product, 1, "pm_card_ok")?;
    let order = seed::settled(&shopper, &order)?;
    if order["status"] != "confirmed" {
        bail!(
            "the order was not confirmed but {} ({})",
            order["status"],
            order["reason"]
        );
    }
    Ok(())
}

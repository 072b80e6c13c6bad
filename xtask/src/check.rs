//! Places an order to check that the system works, from the public API through every service. It uses a separate account
//! and a separate product, which it deletes again, so the shop and the demo account do not show them.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    seed::{self, OPERATOR},
    web::Client,
};

const SHOPPER: &str = "system-check@souk.test";
const SKU: &str = "SYSTEM-CHECK";

/// Buys one item and waits until the order is confirmed. The account is registered with `password` if it does not exist.
pub(crate) fn run(gateway: &str, password: &str) -> Result<()> {
    let operator = Client::login(gateway, OPERATOR.0, OPERATOR.1)?;
    // A product that an interrupted check has left behind is reused, and deleted in the end.
    let product = product(&operator)?;
    let checked = buy(gateway, password, &product);
    let deleted = operator.delete(&format!("/v1/products/{SKU}"));
    checked.and(deleted.context("cannot delete the product of the check"))
}

/// Returns the product, with at least one item in stock. Creates it if necessary.
fn product(operator: &Client) -> Result<Value> {
    let path = format!("/v1/products/{SKU}");
    if !operator.exists(&path)? {
        let categories = operator.get("/v1/categories")?;
        let product = json!({
            "sku": SKU,
            "name": "System check",
            "description": "Ordered once by every `cargo xtask up` and then deleted.",
            "category": categories["items"][0]["slug"],
            "price": {"amount": 100, "currency": "EUR"},
        });
        operator.post("/v1/products", &product)?;
    }
    let stock = operator.get(&format!("{path}/stock"))?;
    if stock["available"].as_i64().unwrap_or_default() < 1 {
        let adjustment = json!({"delta": 1, "reason": "item for the system check"});
        operator.post(&format!("{path}/stock-adjustments"), &adjustment)?;
    }
    operator.get(&path)
}

fn buy(gateway: &str, password: &str, product: &Value) -> Result<()> {
    let shopper = Client::register(gateway, SHOPPER, password, "System check")?;
    let order = seed::place(&shopper, product, 1, "pm_card_ok")?;
    let order = seed::wait_until_settled(&shopper, &order)?;
    if order["status"] != "confirmed" {
        bail!(
            "the order was not confirmed but {} ({})",
            order["status"],
            order["reason"]
        );
    }
    Ok(())
}

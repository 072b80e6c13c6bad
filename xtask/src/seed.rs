//! Places past orders for the demo account through the public API.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::{interrupt, web::Client};

/// Email and password of the demo's shopper.
pub(crate) const SHOPPER: (&str, &str) = ("demo@souk.test", "demo-password-souk");
/// Email and password of the demo's operator.
pub(crate) const OPERATOR: (&str, &str) = ("admin@souk.test", "admin-password-souk");

/// The payment method of each past order, and what happens to the order afterwards.
const PAST: [(&str, FollowUp); 12] = [
    ("pm_card_ok", FollowUp::Nothing),
    ("pm_card_ok", FollowUp::Ship),
    ("pm_card_ok", FollowUp::Deliver),
    ("pm_card_ok", FollowUp::RequestReturn),
    ("pm_card_ok", FollowUp::Return),
    ("pm_card_slow", FollowUp::Cancel),
    ("pm_card_declined", FollowUp::Nothing),
    ("pm_card_insufficient_funds", FollowUp::Nothing),
    ("pm_card_capture_declined", FollowUp::Nothing),
    ("pm_card_slow", FollowUp::Nothing),
    ("pm_card_flaky", FollowUp::Nothing),
    ("pm_card_timeout_after_charge", FollowUp::Nothing),
];
const SETTLED_WITHIN: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FollowUp {
    Nothing,
    Cancel,
    Ship,
    Deliver,
    RequestReturn,
    Return,
}

/// Places orders with every possible outcome, unless the account has orders already.
pub(crate) fn past_orders(gateway: &str) -> Result<()> {
    let client = Client::login(gateway, SHOPPER.0, SHOPPER.1)?;
    let count = client.get("/v1/orders?limit=1")?["items"]
        .as_array()
        .map_or(0, Vec::len);
    if count > 0 {
        return Ok(());
    }
    let operator = Client::login(gateway, OPERATOR.0, OPERATOR.1)?;
    let products = products(&client)?;
    if products.is_empty() {
        bail!("no product is in stock");
    }
    let mut placed = Vec::new();
    for ((method, after), product) in PAST.into_iter().zip(products.iter().cycle()) {
        let order = place(&client, product, 1, method)?;
        if after == FollowUp::Cancel {
            client.post(
                &format!("/v1/orders/{}/cancel", id(&order)),
                &json!({"reason": "changed my mind"}),
            )?;
        }
        placed.push((order, after));
    }
    placed.push((out_of_stock(&client, &operator, &products)?, FollowUp::Nothing));
    for (order, after) in placed {
        let order = wait_until_settled(&client, &order)?;
        let path = format!("/v1/orders/{}", id(&order));
        if after >= FollowUp::Ship {
            operator.post(&format!("{path}/shipments"), &json!({}))?;
        }
        if after >= FollowUp::Deliver {
            operator.post(&format!("{path}/deliveries"), &json!({}))?;
        }
        if after >= FollowUp::RequestReturn {
            let lines: Vec<_> = order["lines"].as_array().into_iter().flatten().collect();
            let items: Vec<_> = lines
                .iter()
                .map(|line| json!({"sku": line["sku"], "quantity": line["quantity"]}))
                .collect();
            let requested = client.post(
                &format!("{path}/returns"),
                &json!({"lines": items, "reason": "too small"}),
            )?;
            if after == FollowUp::Return {
                let receipt = format!("{path}/returns/{}/receipt", id(&requested));
                operator.post(&receipt, &json!({}))?;
            }
        }
    }
    Ok(())
}

/// Orders one item more than available of the product with the least stock.
fn out_of_stock(client: &Client, operator: &Client, products: &[Value]) -> Result<Value> {
    let mut least: Option<(i64, &Value)> = None;
    for product in products {
        let stock = operator.get(&format!("/v1/products/{}/stock", sku(product)))?;
        let available = stock["available"].as_i64().unwrap_or(i64::MAX);
        if least.is_none_or(|(other, _)| available < other) {
            least = Some((available, product));
        }
    }
    match least {
        Some((available, product)) if available < 99 => place(client, product, available + 1, "pm_card_ok"),
        _ => bail!("every product has too much stock for an order that exceeds it"),
    }
}

fn products(client: &Client) -> Result<Vec<Value>> {
    let list = client.get("/v1/products?in_stock=true&limit=20")?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

/// Places an order of one line.
pub(crate) fn place(client: &Client, product: &Value, quantity: i64, method: &str) -> Result<Value> {
    let body = json!({
        "items": [{"sku": sku(product), "quantity": quantity}],
        "shipping_address": {"name": "Demo Shopper", "line1": "1 Market Street", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        "payment_method": method,
    });
    client.post("/v1/orders", &body)
}

/// Waits until the order is no longer pending, and returns it.
pub(crate) fn wait_until_settled(client: &Client, order: &Value) -> Result<Value> {
    let path = format!("/v1/orders/{}", id(order));
    let mut last = Value::Null;
    let is_settled = interrupt::wait(SETTLED_WITHIN, || {
        interrupt::check()?;
        last = client.get(&path)?;
        let is_settled = last["status"] != "pending";
        if !is_settled {
            // Poll slowly, to stay below the account's quota at the gateway.
            interrupt::pause(Duration::from_millis(150));
        }
        Ok(is_settled)
    })?;
    if !is_settled {
        bail!(
            "order {} is still pending after {} s",
            id(order),
            SETTLED_WITHIN.as_secs()
        );
    }
    Ok(last)
}

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap_or_default()
}

fn sku(product: &Value) -> &str {
    product["sku"].as_str().unwrap_or_default()
}

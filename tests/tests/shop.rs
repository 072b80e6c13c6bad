//! Tests that system checks and load tests leave nothing in the shop that a shopper sees.

use e2e::{Client, Stack, products};

/// SKU of the product that the check of `cargo xtask up` buys.
const CHECK_SKU: &str = "SYSTEM-CHECK";

#[tokio::test]
async fn the_system_check_leaves_no_product_and_no_order_of_the_demo_shopper() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let orders = sqlx::PgPool::connect(&stack.status.databases["orders"])
        .await
        .unwrap();
    let buyers: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT user_id FROM orders JOIN order_lines ON order_lines.order_id = orders.id WHERE sku = $1",
    )
    .bind(CHECK_SKU)
    .fetch_all(&orders)
    .await
    .unwrap();
    assert_eq!(buyers.len(), 1, "the check uses one account");
    let demo = Client::anonymous(gateway)
        .login("demo@souk.test", "demo-password-souk")
        .await;
    let profile = demo.get("/v1/users/me").await.expect(200).body;
    assert_ne!(
        profile["id"],
        buyers[0].to_string(),
        "the check must not use the demo shopper"
    );
    let _ = demo.get(&format!("/v1/products/{CHECK_SKU}")).await.problem(404);
}

#[tokio::test]
async fn products_of_load_tests_are_deleted_including_those_of_interrupted_runs() {
    let gateway = Stack::running().status.gateway;
    let admin = Client::admin(&gateway).await;
    let listed = async || {
        let found = admin.get("/v1/products?q=bench").await.expect(200).body;
        found["items"].as_array().unwrap().len()
    };
    // The first run is interrupted before it deletes its products.
    let interrupted = products::create(&admin, 3).await.unwrap();
    assert_eq!(listed().await, 3);
    let skus = products::create(&admin, 2).await.unwrap();
    assert_eq!(skus, interrupted[..2]);
    let shopper = Client::shopper(&gateway).await;
    let order = shopper.order(&skus[0], 1, "pm_card_ok").await;
    assert_eq!(shopper.settled(&order).await["status"], "confirmed");
    products::delete_all(&admin).await.unwrap();
    assert_eq!(listed().await, 0);
}

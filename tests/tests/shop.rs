//! What checks and load tests leave in the shop: nothing that a shopper sees.

use e2e::{Client, Stack, products};

/// The SKU that the check of `cargo xtask up` sells once.
const CHECKED: &str = "SYSTEM-CHECK";

#[tokio::test]
async fn the_check_has_ordered_and_left_neither_a_product_nor_an_order_of_the_demo_s_shopper() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let orders = sqlx::PgPool::connect(&stack.status.databases["orders"])
        .await
        .unwrap();
    let buyers: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT user_id FROM orders JOIN order_lines ON order_lines.order_id = orders.id WHERE sku = $1",
    )
    .bind(CHECKED)
    .fetch_all(&orders)
    .await
    .unwrap();
    assert_eq!(buyers.len(), 1, "one account checks");
    let demo = Client::anonymous(gateway)
        .login("demo@souk.test", "demo-password-souk")
        .await;
    let profile = demo.get("/v1/users/me").await.expect(200).body;
    assert_ne!(
        profile["id"],
        buyers[0].to_string(),
        "it is not the demo's shopper"
    );
    let _ = demo.get(&format!("/v1/products/{CHECKED}")).await.problem(404);
}

#[tokio::test]
async fn the_products_of_a_load_test_are_deleted_also_those_of_an_interrupted_one() {
    let gateway = Stack::running().status.gateway;
    let admin = Client::admin(&gateway).await;
    let listed = async || {
        let found = admin.get("/v1/products?q=bench").await.expect(200).body;
        found["items"].as_array().unwrap().len()
    };
    // The first one ends without deleting anything.
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

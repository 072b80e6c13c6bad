//! Reading payments.

use super::support::{Order, World, answer};

#[tokio::test]
async fn a_payment_is_its_owners_and_the_operators() {
    let world = World::start().await;
    let order = world.captured().await;
    let path = format!("/v1/payments/{}", order.payment);
    let owner = world.issuer.customer(order.user);
    let (status, payment) = world.get(&path, &owner).await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!(payment, {
        ".id" => "[payment]", ".order_id" => "[order]", ".created_at" => "[time]", ".updated_at" => "[time]",
    });
    assert_eq!(
        world.get(&path, &world.issuer.admin()).await,
        (200, payment.clone())
    );
    let stranger = world.issuer.customer(contracts::UserId::generate());
    assert_eq!(world.get(&path, &stranger).await.0, 404);
    assert_eq!(world.get("/v1/payments/none", &owner).await.0, 404);
    assert_eq!(world.get(&path, "no-token").await.0, 401);
    assert_eq!(
        world.get(&path, &world.issuer.expired_token(order.user)).await.0,
        401
    );

    let of_order = format!("/v1/payments?order_id={}", order.id);
    for token in [&owner, &world.issuer.admin()] {
        let (_, page) = world.get(&of_order, token).await;
        assert_eq!(page["items"], serde_json::json!([payment]));
    }
    let (status, page) = world.get(&of_order, &stranger).await;
    assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(0)));
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest() {
    let world = World::start().await;
    let user = contracts::UserId::generate();
    let mut expected = Vec::new();
    for _ in 0..3 {
        let order = Order {
            user,
            ..Order::paid_with("pm_card_ok")
        };
        assert_eq!(world.ask(&order.authorize()).await, "done");
        expected.insert(0, order.payment.to_string());
    }
    world.captured().await;
    let token = world.issuer.customer(user);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = world.get(&format!("/v1/payments?limit=2{cursor}"), &token).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    for bad in ["limit=0", "limit=101", "cursor=x", "colour=red", "order_id=1"] {
        let (status, problem) = world.get(&format!("/v1/payments?{bad}"), &token).await;
        assert_eq!(status, 422, "{bad}: {problem}");
    }
}

#[tokio::test]
async fn anyone_may_see_the_payment_methods() {
    let world = World::start().await;
    let response = world
        .client
        .get(format!("{}/v1/payment-methods", world.url))
        .send()
        .await
        .unwrap();
    let (status, methods) = answer(response).await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!(methods);
}

#[test]
fn the_openapi_document_is_as_agreed() {
    insta::assert_json_snapshot!(payments::openapi());
}

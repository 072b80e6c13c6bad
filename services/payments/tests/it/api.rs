//! Reading payments and payment methods over HTTP.

use super::support::{Fixture, Order, read_response};

#[tokio::test]
async fn only_the_owner_and_operators_can_read_a_payment() {
    let fixture = Fixture::start().await;
    let order = fixture.captured_order().await;
    let path = format!("/v1/payments/{}", order.payment);
    let owner = fixture.issuer.customer(order.user);
    let (status, payment) = fixture.get(&path, &owner).await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!(payment, {
        ".id" => "[payment]", ".order_id" => "[order]", ".created_at" => "[time]", ".updated_at" => "[time]",
    });
    assert_eq!(
        fixture.get(&path, &fixture.issuer.admin()).await,
        (200, payment.clone())
    );
    let stranger = fixture.issuer.customer(contracts::UserId::generate());
    assert_eq!(fixture.get(&path, &stranger).await.0, 404);
    assert_eq!(fixture.get("/v1/payments/none", &owner).await.0, 404);
    assert_eq!(fixture.get(&path, "no-token").await.0, 401);
    assert_eq!(
        fixture
            .get(&path, &fixture.issuer.expired_token(order.user))
            .await
            .0,
        401
    );

    let of_order = format!("/v1/payments?order_id={}", order.id);
    for token in [&owner, &fixture.issuer.admin()] {
        let (_, page) = fixture.get(&of_order, token).await;
        assert_eq!(page["items"], serde_json::json!([payment]));
    }
    let (status, page) = fixture.get(&of_order, &stranger).await;
    assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(0)));
}

#[tokio::test]
async fn lists_are_paginated_newest_first() {
    let fixture = Fixture::start().await;
    let user = contracts::UserId::generate();
    let mut expected = Vec::new();
    for _ in 0..3 {
        let order = Order {
            user,
            ..Order::paid_with("pm_card_ok")
        };
        assert_eq!(fixture.outcome_of(&order.authorize()).await, "done");
        expected.insert(0, order.payment.to_string());
    }
    fixture.captured_order().await;
    let token = fixture.issuer.customer(user);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = fixture
            .get(&format!("/v1/payments?limit=2{cursor}"), &token)
            .await;
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
        let (status, problem) = fixture.get(&format!("/v1/payments?{bad}"), &token).await;
        assert_eq!(status, 422, "{bad}: {problem}");
    }
}

#[tokio::test]
async fn payment_methods_are_public() {
    let fixture = Fixture::start().await;
    let response = fixture
        .client
        .get(format!("{}/v1/payment-methods", fixture.url))
        .send()
        .await
        .unwrap();
    let (status, methods) = read_response(response).await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!(methods);
}

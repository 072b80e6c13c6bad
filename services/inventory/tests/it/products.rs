//! The routes `/v1/products` and `/v1/products/{sku}`: changes, conditional requests, authorization and images.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestResponse, api, done};

const TEA: &str = "/v1/products/TEA";

fn tea() -> Value {
    json!({"sku": "TEA", "name": "Green Tea", "description": "Leaves.", "category": "tea",
        "price": {"amount": 500, "currency": "EUR"}})
}

async fn change(api: &Api, method: Method, if_match: &str, body: Value) -> TestResponse {
    let request = api.as_admin(method, TEA).json(&body);
    TestResponse::of(if if_match.is_empty() {
        request
    } else {
        request.header("if-match", if_match)
    })
    .await
}

#[tokio::test]
async fn a_product_is_added_read_changed_and_removed() {
    let api = api().await;
    let added = TestResponse::of(api.as_admin(Method::POST, "/v1/products").json(&tea())).await;
    assert_eq!((added.header("location"), added.header("etag")), (TEA, "\"v1\""));
    let mut product = added.expect(201);
    insta::assert_json_snapshot!(product, {".created_at" => "[time]"});

    let read = api.get(TEA).await;
    assert!(
        read.header("cache-control").starts_with("public, max-age="),
        "{}",
        read.header("cache-control")
    );
    assert_eq!(
        (read.header("etag").to_owned(), read.expect(200)),
        ("\"v1\"".to_owned(), product.clone())
    );
    let again = TestResponse::of(api.request(Method::GET, TEA).header("if-none-match", "\"v1\"")).await;
    assert_eq!(
        (again.status, again.header("etag"), again.text.as_str()),
        (304, "\"v1\"", "")
    );

    let changed = change(
        &api,
        Method::PATCH,
        "\"v1\"",
        json!({"name": "Sencha", "price": {"amount": 700, "currency": "EUR"}}),
    )
    .await;
    assert_eq!(changed.header("etag"), "\"v2\"");
    let changed = changed.expect(200);
    product["name"] = json!("Sencha");
    product["price"]["amount"] = json!(700);
    product["version"] = json!(2);
    assert_eq!(changed, product);
    assert_eq!(
        api.get("/v1/products?q=sencha").await.expect(200)["items"][0]["sku"],
        "TEA"
    );
    let again = TestResponse::of(api.request(Method::GET, TEA).header("if-none-match", "\"v1\"")).await;
    assert_eq!(again.expect(200), product);

    assert_eq!(
        change(&api, Method::DELETE, "\"v2\"", json!({})).await.status,
        204
    );
    api.get(TEA).await.problem(404);
    change(&api, Method::PATCH, "*", json!({"name": "Sencha"}))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_change_requires_the_current_version() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 0).await;
    for method in [Method::PATCH, Method::DELETE] {
        change(&api, method.clone(), "", json!({})).await.problem(428);
        for stale in ["\"v2\"", "W/\"v1\"", "v1", "\"other\""] {
            change(&api, method.clone(), stale, json!({})).await.problem(412);
        }
    }
    assert_eq!(api.get(TEA).await.expect(200)["version"], 1);
    // Of two administrators who read the same version, only one succeeds.
    let (one, two) = tokio::join!(
        change(&api, Method::PATCH, "\"v1\"", json!({"name": "One"})),
        change(&api, Method::PATCH, "\"v1\"", json!({"name": "Two"})),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(api.get(TEA).await.expect(200)["version"], 2);
}

#[tokio::test]
async fn a_product_with_held_units_cannot_be_removed_until_they_are_released() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 3).await;
    let order = contracts::OrderId::generate();
    assert_eq!(api.shelf.reserve(order, &[("TEA", 1)]).await, done());
    let problem = change(&api, Method::DELETE, "\"v1\"", json!({}))
        .await
        .problem(409);
    assert_eq!(problem["type"], "https://souk.test/problems/units-held");
    assert_eq!(api.shelf.release(order).await, done());
    assert_eq!(
        change(&api, Method::DELETE, "\"v1\"", json!({})).await.status,
        204
    );
    let refused = api
        .shelf
        .reserve(contracts::OrderId::generate(), &[("TEA", 1)])
        .await;
    assert_eq!(crate::support::reason(&refused), "unknown_sku");
    // The product is added again, with the units that were not sold.
    api.product("TEA", "Green Tea", 500, 0).await;
    assert_eq!(
        api.shelf
            .reserve(contracts::OrderId::generate(), &[("TEA", 1)])
            .await,
        done()
    );
    assert_eq!(api.shelf.levels("TEA").await, (3, 2, 1, 0));
}

#[tokio::test]
async fn only_one_product_can_have_a_sku() {
    let api = api().await;
    let add = || TestResponse::of(api.as_admin(Method::POST, "/v1/products").json(&tea()));
    let (one, two) = tokio::join!(add(), add());
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(
        add().await.problem(409)["type"],
        "https://souk.test/problems/duplicate-sku"
    );
}

#[tokio::test]
async fn every_invalid_product_is_rejected_with_its_field() {
    let api = api().await;
    let with = |field: &str, value: Value| {
        let mut body = tea();
        body[field] = value;
        body
    };
    let long = "x".repeat(201);
    let cases = [
        (with("sku", json!("a b")), "/sku"),
        (with("name", json!("  ")), "/name"),
        (with("name", json!(long)), "/name"),
        (with("name", json!(7)), "/name"),
        (with("description", json!("x".repeat(5_001))), "/description"),
        (with("category", json!("nope")), "/category"),
        (
            with("price", json!({"amount": 0, "currency": "EUR"})),
            "/price/amount",
        ),
        (
            with("price", json!({"amount": 1.5, "currency": "EUR"})),
            "/price/amount",
        ),
        (
            with("price", json!({"amount": 1, "currency": "euro"})),
            "/price/currency",
        ),
        (with("image", json!("javascript:alert(1)")), "/image"),
        (with("attributes", json!({"$where": "1"})), "/attributes/$where"),
        (with("attributes", json!({"a": 1})), "/attributes/a"),
        (with("in_stock", json!(true)), "/in_stock"),
    ];
    for (body, pointer) in cases {
        let problem = TestResponse::of(api.as_admin(Method::POST, "/v1/products").json(&body))
            .await
            .problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem:#}");
    }
    let post = || api.as_admin(Method::POST, "/v1/products");
    TestResponse::of(post().body(tea().to_string()))
        .await
        .problem(415);
    TestResponse::of(post().header("content-type", "application/json").body("{"))
        .await
        .problem(400);
    let large = with("description", json!("x".repeat(70_000)));
    TestResponse::of(post().json(&large)).await.problem(413);
    api.get(TEA).await.problem(404);
}

#[tokio::test]
async fn only_administrators_can_change_the_catalog() {
    let api = api().await;
    api.product("TEA", "Green Tea", 500, 1).await;
    let routes = [
        (Method::POST, "/v1/products"),
        (Method::PATCH, TEA),
        (Method::DELETE, TEA),
        (Method::GET, "/v1/products/TEA/stock"),
        (Method::POST, "/v1/products/TEA/stock-adjustments"),
    ];
    for (method, path) in routes {
        let request = || {
            api.request(method.clone(), path)
                .header("if-match", "*")
                .json(&json!({}))
        };
        TestResponse::of(request()).await.problem(401);
        TestResponse::of(request().bearer_auth("nonsense"))
            .await
            .problem(401);
        TestResponse::of(request().bearer_auth(&api.customer))
            .await
            .problem(403);
    }
    assert_eq!(api.get(TEA).await.expect(200)["version"], 1);
}

#[tokio::test]
async fn a_product_has_a_drawn_image_or_one_of_its_own() {
    let api = api().await;
    let product = api.product("TEA", "Tea & <Biscuits>", 500, 0).await;
    let path = product["image"].as_str().unwrap();
    let picture = api.get(path).await;
    assert_eq!(
        (picture.status, picture.header("content-type")),
        (200, "image/svg+xml")
    );
    assert!(
        picture.text.contains("<title>Tea &amp; &lt;Biscuits&gt;</title>"),
        "{}",
        picture.text
    );
    let tag = picture.header("etag").to_owned();
    assert_eq!(
        TestResponse::of(api.request(Method::GET, path).header("if-none-match", tag))
            .await
            .status,
        304
    );
    api.get("/v1/products/NOPE/image.svg").await.problem(404);

    let changed = change(
        &api,
        Method::PATCH,
        "\"v1\"",
        json!({"image": "https://example.test/a.png"}),
    )
    .await
    .expect(200);
    assert_eq!(changed["image"], "https://example.test/a.png");
    let drawn = change(&api, Method::PATCH, "\"v2\"", json!({"image": null}))
        .await
        .expect(200);
    assert_eq!(drawn["image"], path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_of_many_concurrent_removals_succeeds() {
    let api = api().await;
    for _ in 0..10 {
        api.product("TEA", "Green Tea", 500, 0).await;
        let removals = (0..4).map(|_| change(&api, Method::DELETE, "\"v1\"", json!({})));
        let removals = futures::future::join_all(removals).await;
        let mut statuses: Vec<_> = removals.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404]);
        api.get(TEA).await.problem(404);
        let stock = api.as_admin(Method::GET, "/v1/products/TEA/stock");
        TestResponse::of(stock).await.problem(404);
    }
}

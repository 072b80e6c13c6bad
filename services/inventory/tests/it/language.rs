//! The catalog in English and German: texts, search, sorting and entity tags.

use bson::doc;
use inventory::{migrate, seed};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestResponse, api};

async fn get_in(api: &Api, language: &str, path: &str) -> TestResponse {
    TestResponse::of(api.request(Method::GET, path).header("accept-language", language)).await
}

async fn add(api: &Api, sku: &str, name: &str, german: Option<&str>) {
    let mut body = json!({"sku": sku, "name": name, "description": "Here.", "category": "tea",
        "price": {"amount": 500, "currency": "EUR"}, "attributes": {"origin": "Japan", "roast": "light"}});
    if let Some(german) = german {
        body["translations"] =
            json!({"de": {"name": german, "description": "Hier.", "attributes": {"roast": "hell"}}});
    }
    TestResponse::of(api.as_admin(Method::POST, "/v1/products").json(&body))
        .await
        .expect(201);
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_product_is_returned_in_the_preferred_language_or_in_english() {
    let api = api().await;
    add(&api, "CUP", "Cup", Some("Tasse")).await;
    add(&api, "POT", "Pot", None).await;
    for (sku, accepted, language, name, tag) in [
        ("CUP", "de-AT, en;q=0.5", "de", "Tasse", "\"v1-de\""),
        ("CUP", "fr, en;q=0.5", "en", "Cup", "\"v1\""),
        ("CUP", "fr", "en", "Cup", "\"v1\""),
        ("POT", "de", "en", "Pot", "\"v1\""),
    ] {
        let path = format!("/v1/products/{sku}");
        let response = get_in(&api, accepted, &path).await;
        assert_eq!(
            [
                response.header("content-language"),
                response.header("vary"),
                response.header("etag")
            ],
            [language, "accept-language", tag],
            "{sku} {accepted}"
        );
        let known = api
            .request(Method::GET, &path)
            .header("accept-language", accepted)
            .header("if-none-match", tag);
        assert_eq!(TestResponse::of(known).await.status, 304, "{sku} {accepted}");
        let other = api
            .request(Method::GET, &path)
            .header("accept-language", accepted)
            .header(
                "if-none-match",
                if tag == "\"v1\"" { "\"v1-de\"" } else { "\"v1\"" },
            );
        assert_eq!(TestResponse::of(other).await.status, 200, "{sku} {accepted}");
        assert_eq!(response.expect(200)["name"], name, "{sku} {accepted}");
    }
    let cup = get_in(&api, "de", "/v1/products/CUP").await.expect(200);
    assert_eq!(
        (&cup["description"], &cup["attributes"]),
        (&json!("Hier."), &json!({"origin": "Japan", "roast": "hell"}))
    );
}

#[tokio::test]
async fn a_list_is_searched_sorted_and_paged_in_its_language() {
    let api = api().await;
    add(&api, "A", "Apron", Some("Schürze")).await;
    add(&api, "B", "Bowl", Some("Große Schale")).await;
    add(&api, "C", "Cup", Some("Tasse")).await;
    add(&api, "D", "Oven glove", None).await;
    let page = get_in(&api, "de", "/v1/products?limit=3").await;
    assert_eq!(page.header("content-language"), "de");
    let page = page.expect(200);
    assert_eq!(names(&page), ["Große Schale", "Oven glove", "Schürze"]);
    let rest = format!(
        "/v1/products?limit=3&cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    assert_eq!(names(&get_in(&api, "de", &rest).await.expect(200)), ["Tasse"]);
    let problem = get_in(&api, "en", &rest).await.problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/cursor", "{problem:#}");
    assert_eq!(
        names(&api.get("/v1/products").await.expect(200)),
        ["Apron", "Bowl", "Cup", "Oven glove"]
    );
    for (q, found) in [
        ("schurze", "Schürze"),
        ("grosse", "Große Schale"),
        ("cup", "Tasse"),
        ("hell%20tasse", "Tasse"),
    ] {
        let page = get_in(&api, "de", &format!("/v1/products?q={q}"))
            .await
            .expect(200);
        assert_eq!(names(&page), [found], "{q}");
    }
}

#[tokio::test]
async fn translations_can_be_changed_and_are_validated() {
    let api = api().await;
    add(&api, "CUP", "Cup", Some("Tasse")).await;
    let change = |body: Value, if_match: &'static str| {
        TestResponse::of(
            api.as_admin(Method::PATCH, "/v1/products/CUP")
                .header("if-match", if_match)
                .json(&body),
        )
    };
    // The tag of a translation also identifies the version. The response contains the original English texts.
    let changed = change(
        json!({"translations": {"de": {"name": "Becher", "description": ""}}}),
        "\"v1-de\"",
    )
    .await;
    assert_eq!(
        (changed.header("etag"), changed.header("content-language")),
        ("\"v2\"", "")
    );
    assert_eq!(changed.expect(200)["name"], "Cup");
    assert_eq!(
        get_in(&api, "de", "/v1/products/CUP").await.expect(200)["name"],
        "Becher"
    );
    let problem = change(
        json!({"translations": {"de": {"name": " ", "description": ""}}}),
        "*",
    )
    .await
    .problem(422);
    assert_eq!(
        problem["errors"][0]["pointer"], "/translations/de/name",
        "{problem:#}"
    );
    change(
        json!({"translations": {"fr": {"name": "Tasse", "description": ""}}}),
        "*",
    )
    .await
    .problem(422);
    change(json!({"translations": {}}), "*").await.expect(200);
    assert_eq!(
        get_in(&api, "de", "/v1/products/CUP").await.expect(200)["name"],
        "Cup"
    );
}

#[tokio::test]
async fn the_seed_adds_translations_to_a_catalog_that_was_seeded_without_them() {
    let api = api().await;
    seed::run(&api.shelf).await.unwrap();
    add(&api, "OWN", "Zebra cup", None).await;
    let old = doc! {"$unset": {"translations": "", "name_key_de": ""}};
    api.shelf.products.update_many(doc! {}, old).await.unwrap();
    let renamed = doc! {"$set": {"name": "Our best tea"}};
    api.shelf
        .products
        .update_one(doc! {"_id": "TEA-0001"}, renamed)
        .await
        .unwrap();
    api.shelf
        .categories
        .update_many(doc! {}, doc! {"$unset": {"names": ""}})
        .await
        .unwrap();
    migrate::run(api.shelf.raw()).await.unwrap();
    seed::run(&api.shelf).await.unwrap();

    let page = get_in(&api, "de", "/v1/products?limit=100").await.expect(200);
    let names = names(&page);
    assert_eq!(names.len(), 61);
    assert!(
        names.contains(&"Kamillenblüten") && names.contains(&"Zebra cup"),
        "{names:?}"
    );
    // A product that an administrator has changed is not translated, because the translation would not match.
    assert!(names.contains(&"Our best tea"), "{names:?}");
    assert_eq!(page["facets"]["categories"][0]["name"], "Tee");
    let categories = get_in(&api, "de", "/v1/categories").await;
    assert_eq!(categories.header("vary"), "accept-language");
    assert_eq!(categories.expect(200)["items"][3]["name"], "Küche");
}

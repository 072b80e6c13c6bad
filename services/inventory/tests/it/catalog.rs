//! The routes `/v1/products` and `/v1/categories`: search, filters, facets, order and pages.

use std::collections::BTreeSet;

use contracts::OrderId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestResponse, api, done};

async fn skus(api: &Api, query: &str) -> Vec<String> {
    let page = api.get(&format!("/v1/products?{query}")).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["sku"].as_str().unwrap().to_owned())
        .collect()
}

async fn small_catalog() -> Api {
    let api = api().await;
    for (sku, name, price, units) in [
        ("T-1", "Green Tea", 500, 5),
        ("T-2", "Black Tea", 700, 0),
        ("T-3", "Crème Pot for Tea", 2_000, 1),
        ("T-4", "Greenhouse Mug", 900, 2),
    ] {
        api.product(sku, name, price, units).await;
    }
    api
}

#[tokio::test]
async fn search_matches_word_prefixes_and_ranks_complete_words_first() {
    let api = small_catalog().await;
    for (q, found) in [
        ("green", &["T-1", "T-4"][..]),
        ("gre", &["T-1", "T-4"]),
        ("GREEN%20tea", &["T-1", "T-4"]),
        ("tea%20pot", &["T-3"]),
        ("creme", &["T-3"]),
        ("cr%C3%A8me", &["T-3"]),
        ("t-2", &["T-2"]),
        ("ea", &[]),
        (".*", &[]),
        ("%5E%24%28", &[]),
    ] {
        assert_eq!(skus(&api, &format!("q={q}")).await, found, "{q}");
    }
    assert_eq!(skus(&api, "q=").await.len(), 4);
}

#[tokio::test]
async fn filters_narrow_the_list_and_each_facet_ignores_its_own_filter() {
    let api = small_catalog().await;
    assert_eq!(
        skus(&api, "min_price=700&max_price=900&sort=price").await,
        ["T-2", "T-4"]
    );
    assert_eq!(
        skus(&api, "in_stock=true&sort=price").await,
        ["T-1", "T-4", "T-3"]
    );
    assert_eq!(skus(&api, "in_stock=false").await, ["T-2"]);
    assert_eq!(skus(&api, "category=coffee").await, [""; 0]);
    assert_eq!(skus(&api, "skus=T-3,NOPE,T-1&sort=price").await, ["T-1", "T-3"]);

    let page = api
        .get("/v1/products?q=tea&max_price=1000&in_stock=true")
        .await
        .expect(200);
    let facets = json!({
        "categories": [{"slug": "tea", "name": "Tea", "count": 2}],
        "price": {"min": 500, "max": 2_000},
        "in_stock": 2,
    });
    assert_eq!(
        (&page["facets"], &page["next_cursor"]),
        (&facets, &Value::Null),
        "{page:#}"
    );
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let nothing = api.get("/v1/products?q=nothing").await.expect(200);
    assert_eq!(nothing["facets"]["price"], json!({"min": null, "max": null}));
}

#[tokio::test]
async fn a_listed_product_shows_its_current_stock() {
    let api = api().await;
    api.product("T-1", "Green Tea", 500, 2).await;
    let listed = async || {
        let page = api.get("/v1/products?skus=T-1").await.expect(200);
        (
            page["items"][0]["available"].as_i64().unwrap(),
            page["items"][0]["in_stock"].as_bool().unwrap(),
        )
    };
    assert_eq!(listed().await, (2, true));
    let order = OrderId::generate();
    assert_eq!(api.shelf.reserve(order, &[("T-1", 2)]).await, done());
    assert_eq!(listed().await, (0, false));
    // The sweeper updates the flag that the filter uses.
    assert_eq!(api.shelf.sweep().await.listed, 1);
    assert_eq!(skus(&api, "in_stock=false").await, ["T-1"]);
    assert_eq!(api.shelf.release(order).await, done());
    assert_eq!(api.shelf.sweep().await.listed, 1);
    assert_eq!(skus(&api, "in_stock=true").await, ["T-1"]);
    assert_eq!(api.shelf.sweep().await.listed, 0);
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_products_in_any_order_despite_insertions() {
    let api = api().await;
    for n in 0..7 {
        // Pairs of products have the same price and name.
        api.product(&format!("P-{n}"), &format!("Tea {}", n / 2), 100 + n / 2, n % 2)
            .await;
    }
    for sort in ["price", "-price", "newest", "name", "relevance&q=tea"] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = api
                .get(&format!("/v1/products?sort={sort}&limit=3{cursor}"))
                .await
                .expect(200);
            for item in page["items"].as_array().unwrap() {
                seen.push((
                    item["price"]["amount"].as_i64().unwrap(),
                    item["sku"].as_str().unwrap().to_owned(),
                ));
            }
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let different: BTreeSet<_> = seen.iter().map(|(_, sku)| sku.clone()).collect();
        assert_eq!(
            (seen.len(), different.len(), pages),
            (7, 7, 3),
            "{sort}: {seen:?}"
        );
        let mut sorted = seen.clone();
        match sort {
            "price" => sorted.sort(),
            "-price" => sorted.sort_by_key(|(price, sku)| (-price, sku.clone())),
            "newest" => sorted.sort_by(|one, two| two.1.cmp(&one.1)),
            _ => sorted.sort_by(|one, two| (one.0, &one.1).cmp(&(two.0, &two.1))),
        }
        if !sort.starts_with("relevance") {
            assert_eq!(seen, sorted, "{sort}");
        }
    }
    let first = api.get("/v1/products?sort=price&limit=3").await.expect(200);
    api.product("P-00", "Tea before all", 1, 0).await;
    let next = first["next_cursor"].as_str().unwrap();
    let second = skus(&api, &format!("sort=price&limit=3&cursor={next}")).await;
    assert_eq!(second, ["P-3", "P-4", "P-5"]);
}

#[tokio::test]
async fn every_invalid_query_is_rejected_with_its_parameter() {
    let api = api().await;
    for n in 0..2 {
        api.product(&format!("P-{n}"), "Tea", 100, 0).await;
    }
    let by_name = api.get("/v1/products?limit=1&sort=name").await.expect(200);
    let other_order = format!("sort=price&cursor={}", by_name["next_cursor"].as_str().unwrap());
    let long = format!("q={}", "x".repeat(201));
    let many = format!("skus={}", vec!["A"; 101].join(","));
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=x", "/limit"),
        ("cursor=nonsense", "/cursor"),
        (&other_order, "/cursor"),
        ("sort=cheapest", "/sort"),
        ("min_price=-1", "/min_price"),
        ("max_price=x", "/max_price"),
        ("in_stock=maybe", "/in_stock"),
        ("skus=", "/skus"),
        ("skus=a,b%20c", "/skus"),
        (&many, "/skus"),
        (&long, "/q"),
        ("colour=red", "/colour"),
    ] {
        let problem = api.get(&format!("/v1/products?{query}")).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem:#}");
    }
}

#[tokio::test]
async fn categories_count_their_products() {
    let api = small_catalog().await;
    let response = api.get("/v1/categories").await;
    assert!(response.header("cache-control").contains("max-age"));
    let tag = response.header("etag").to_owned();
    let expected = json!({"items": [{"slug": "tea", "name": "Tea", "products": 4}], "next_cursor": null});
    assert_eq!(response.expect(200), expected);
    let again = api
        .request(Method::GET, "/v1/categories")
        .header("if-none-match", &tag);
    assert_eq!(TestResponse::of(again).await.status, 304);
    api.product("OOLONG", "Oolong", 900, 1).await;
    let changed = api
        .request(Method::GET, "/v1/categories")
        .header("if-none-match", &tag);
    let changed = TestResponse::of(changed).await;
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(changed.expect(200)["items"][0]["products"], 5);
}

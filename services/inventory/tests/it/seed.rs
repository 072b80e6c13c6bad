//! The commands `inventory migrate` and `inventory seed`, also when they run repeatedly.

use bson::doc;
use contracts::{OrderId, events::InventoryEvent};
use inventory::{migrate, seed};

use crate::{
    kafka::{Kafka, events_by_sku},
    support::{api, done},
};

#[tokio::test]
async fn the_seed_is_complete_and_never_resets_sold_stock() {
    let api = api().await;
    seed::run(&api.shelf).await.unwrap();
    let categories = api.get("/v1/categories").await.expect(200);
    let counts: Vec<_> = categories["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["products"])
        .collect();
    assert_eq!(counts, [10; 6]);
    let page = api.get("/v1/products?limit=100").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 60);
    assert!(
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["price"]["currency"] == "EUR")
    );
    assert_eq!(page["facets"]["in_stock"], 59, "one is sold out");
    assert_eq!(
        api.get("/v1/products?q=ceremonial&in_stock=true")
            .await
            .expect(200)["items"][0]["sku"],
        "TEA-0008"
    );

    let order = OrderId::generate();
    assert_eq!(api.shelf.reserve(order, &[("TEA-0001", 2)]).await, done());
    assert_eq!(api.shelf.commit(order).await, done());
    let before = api.shelf.levels("TEA-0001").await;
    migrate::run(api.shelf.raw()).await.unwrap();
    seed::run(&api.shelf).await.unwrap();
    assert_eq!(api.shelf.levels("TEA-0001").await, before);
    assert_eq!(
        api.shelf
            .movements
            .count_documents(doc! {"kind": "receive"})
            .await
            .unwrap(),
        59
    );
}

#[tokio::test]
async fn seeded_products_are_published_once_with_all_their_units() {
    let (mut shelf, kafka) = (crate::support::shelf(&[]).await, Kafka::start().await);
    shelf.db = shelf.db.clone().with_events(true);
    seed::run(&shelf).await.unwrap();
    // One event per product, and one for the stock of each product that is not sold out.
    assert_eq!(kafka.publish(&shelf).await, 60 + 59);
    seed::run(&shelf).await.unwrap();
    assert_eq!(kafka.publish(&shelf).await, 0);
    let events = kafka.read(60 + 59).await;
    for (sku, events) in events_by_sku(&events, 1) {
        let InventoryEvent::ProductCreated(_) = &events[0] else {
            panic!("{events:?}");
        };
        let levels = match events.get(1) {
            Some(InventoryEvent::StockChanged(stock)) if stock.reason == "listed" => {
                (stock.on_hand, stock.available, stock.held, 0)
            }
            None => (0, 0, 0, 0),
            other => panic!("{other:?}"),
        };
        assert_eq!(shelf.levels(sku).await, levels, "{sku}");
    }
}

#[tokio::test]
async fn the_database_rejects_impossible_stock() {
    let shelf = crate::support::shelf(&[("A", 1)]).await;
    for impossible in [
        doc! {"$inc": {"available": -2_i64}},
        doc! {"$unset": {"holds": ""}},
    ] {
        let refused = shelf
            .db
            .stock
            .update_one(doc! {"_id": "A"}, impossible.clone())
            .await;
        assert!(refused.is_err(), "{impossible}");
    }
    assert_eq!(shelf.levels("A").await, (1, 1, 0, 0));
}

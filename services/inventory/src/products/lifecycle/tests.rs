//! Races between requests for one SKU, where one pauses between its steps while others run to completion.

use bson::{DateTime, doc};
use contracts::{Currency, Money};

use super::{create, delete, reconcile, remove};
use crate::{
    Error,
    database::Database,
    migrate,
    products::{Attributes, ProductDocument, Translations, etag::Expected, store},
    stock,
};

async fn database() -> (Database, testkit::mongo::TestMongo) {
    let mongo = testkit::mongo::database().await;
    migrate::run(&mongo.db).await.unwrap();
    (Database::of(mongo.db.clone()), mongo)
}

/// A product that was added at that time, in milliseconds since 1970.
fn tea(millis: i64) -> ProductDocument {
    let mut product = ProductDocument {
        sku: "TEA".parse().unwrap(),
        name: format!("Tea of {millis}"),
        description: "Leaves.".to_owned(),
        category: "tea".to_owned(),
        price: Money::new(500, Currency::EUR),
        image: None,
        attributes: Attributes::new(),
        translations: Translations::default(),
        version: 1,
        created_at: DateTime::from_millis(millis),
        search: Vec::new(),
        name_tokens: Vec::new(),
        name_key: String::new(),
        name_key_de: String::new(),
        in_stock: false,
        stock_rev: 0,
    };
    product.index();
    product
}

/// Whether the product exists, after checking that its stock agrees.
async fn is_sold(db: &Database) -> bool {
    let stock = db.stock.find_one(doc! {"_id": "TEA"}).await.unwrap().unwrap();
    let is_sold = store::exists(db, "TEA").await.unwrap();
    assert_eq!(is_sold, !stock.retired, "product and stock agree");
    is_sold
}

#[tokio::test]
async fn of_two_removals_the_second_finds_no_product_and_leaves_the_stock_retired() {
    let (db, _mongo) = database().await;
    create(&db, &tea(1)).await.unwrap();
    let seen = store::find(&db, "TEA").await.unwrap();
    stock::store::retire(&db, "TEA").await.unwrap();
    delete(&db, "TEA", &Expected::Any).await.unwrap();
    let second = remove(&db, &seen, &Expected::Any).await;
    assert!(matches!(second, Err(Error::NoSuchProduct)), "{second:?}");
    assert!(!is_sold(&db).await);
}

#[tokio::test]
async fn removing_a_product_that_has_changed_leaves_it_for_sale() {
    let (db, _mongo) = database().await;
    create(&db, &tea(1)).await.unwrap();
    let seen = store::find(&db, "TEA").await.unwrap();
    stock::store::retire(&db, "TEA").await.unwrap();
    let mut changed = seen.clone();
    changed.version = 2;
    store::replace(&db, &changed, 1).await.unwrap();
    let removed = remove(&db, &seen, &Expected::Versions(vec![1])).await;
    assert!(matches!(removed, Err(Error::Stale)), "{removed:?}");
    assert!(is_sold(&db).await);
}

#[tokio::test]
async fn a_late_removal_or_change_does_not_touch_a_product_that_was_added_since() {
    let (db, _mongo) = database().await;
    create(&db, &tea(1)).await.unwrap();
    let seen = store::find(&db, "TEA").await.unwrap();
    delete(&db, "TEA", &Expected::Any).await.unwrap();
    create(&db, &tea(2)).await.unwrap();
    stock::store::retire(&db, "TEA").await.unwrap();
    for expected in [Expected::Any, Expected::Versions(vec![1])] {
        let late = remove(&db, &seen, &expected).await;
        assert!(matches!(late, Err(Error::NoSuchProduct)), "{late:?}");
        assert!(is_sold(&db).await);
    }
    let mut changed = seen.clone();
    changed.version = 2;
    let late = store::replace(&db, &changed, 1).await;
    assert!(matches!(late, Err(Error::NoSuchProduct)), "{late:?}");
    assert_eq!(store::find(&db, "TEA").await.unwrap().name, "Tea of 2");
}

#[tokio::test]
async fn a_product_that_is_added_while_another_is_removed_can_be_sold() {
    let (db, _mongo) = database().await;
    create(&db, &tea(1)).await.unwrap();
    // The second request found no product and opened the stock before the first product was inserted.
    delete(&db, "TEA", &Expected::Any).await.unwrap();
    store::insert(&db, &tea(2)).await.unwrap();
    reconcile(&db, "TEA").await.unwrap();
    assert!(is_sold(&db).await);
}

#[tokio::test]
async fn a_late_addition_does_not_put_a_removed_product_on_sale() {
    let (db, _mongo) = database().await;
    create(&db, &tea(1)).await.unwrap();
    let seen = store::find(&db, "TEA").await.unwrap();
    stock::store::retire(&db, "TEA").await.unwrap();
    // Another request found no product before the first was added, and opens the stock between retiring and removing.
    stock::store::open(&db, "TEA").await.unwrap();
    let second = store::insert(&db, &tea(2)).await;
    assert!(matches!(second, Err(Error::DuplicateSku)), "{second:?}");
    remove(&db, &seen, &Expected::Any).await.unwrap();
    assert!(!is_sold(&db).await);
}

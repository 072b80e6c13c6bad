//! Two deliveries of one command of which one stands still between its look and its update: stepped by hand, because a race
//! that is only hoped for proves nothing.

use bson::{DateTime, doc};
use contracts::{
    OrderId, ReturnId,
    saga::{CommitStock, Outcome, ReserveStock, RestockItems},
};

use super::{commit, commit::take_off, holds_of, reserve, restock, restock::add, sweeper::sweep_once};
use crate::{
    database::Database,
    migrate,
    stock::{Hold, Movement, MovementKind, Stock, store},
};

/// A fresh database with five units of A.
async fn five() -> (Database, testkit::mongo::TestMongo) {
    let mongo = testkit::mongo::database().await;
    migrate::run(&mongo.db).await.unwrap();
    let db = Database::of(mongo.db.clone());
    store::open(&db, "A").await.unwrap();
    let movement = Movement::new("five".to_owned(), MovementKind::Adjust, 5, DateTime::now());
    store::adjust(&db, "A", &movement).await.unwrap();
    (db, mongo)
}

async fn stock(db: &Database) -> Stock {
    db.stock.find_one(doc! {"_id": "A"}).await.unwrap().unwrap()
}

fn items(quantity: i64) -> Vec<contracts::OrderItem> {
    vec![contracts::OrderItem {
        sku: "A".parse().unwrap(),
        quantity: quantity.try_into().unwrap(),
    }]
}

#[tokio::test]
async fn a_return_that_looked_before_its_duplicate_was_entered_adds_nothing() {
    let (db, _mongo) = five().await;
    let command = RestockItems {
        order_id: OrderId::generate(),
        return_id: ReturnId::generate(),
        items: items(2),
    };
    let seen = stock(&db).await;
    assert_eq!(restock(&db, &command).await.unwrap(), Outcome::Done);
    let movement = stock(&db).await.journal.pop().unwrap();
    sweep_once(&db).await.unwrap();
    assert!(stock(&db).await.journal.is_empty(), "only the ledger knows it");
    assert!(!add(&db, &seen, &movement).await.unwrap());
    assert_eq!(stock(&db).await.on_hand, 7);
}

#[tokio::test]
async fn a_commit_that_looked_before_its_duplicate_leaves_a_later_hold_alone() {
    let (db, _mongo) = five().await;
    let order_id = OrderId::generate();
    let wanted = ReserveStock {
        order_id,
        items: items(2),
    };
    assert_eq!(reserve(&db, &wanted).await.unwrap(), Outcome::Done);
    let seen = holds_of(&db, order_id).await.unwrap().remove(0);
    assert_eq!(
        commit(&db, &CommitStock { order_id }).await.unwrap(),
        Outcome::Done
    );
    sweep_once(&db).await.unwrap();
    // What a late duplicate of the reservation has between taking and giving back; it may crash there.
    let now = stock(&db).await;
    let stray = Hold {
        id: now.rev + 1,
        ..seen.hold.clone()
    };
    let update = doc! {
        "$push": {"holds": bson::serialize_to_bson(&stray).unwrap()},
        "$inc": {"available": -2_i64, "held": 2_i64, "rev": 1_i64},
    };
    db.stock.update_one(doc! {"_id": "A"}, update).await.unwrap();

    assert!(!take_off(&db, &seen, DateTime::now()).await.unwrap());
    assert_eq!(stock(&db).await.committed, 2);
    assert_eq!(
        commit(&db, &CommitStock { order_id }).await.unwrap(),
        Outcome::Done
    );
    let Stock {
        on_hand,
        available,
        held,
        committed,
        ..
    } = stock(&db).await;
    assert_eq!(
        (on_hand, available, held, committed),
        (3, 3, 0, 2),
        "the stray was given back"
    );
}

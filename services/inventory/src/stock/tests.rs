//! Races between two requests with the same `Idempotency-Key`, where one pauses between reading and updating.

use bson::doc;

use super::{
    Movement, MovementKind,
    store::{self, AdjustmentState, apply_adjustment, check_adjustment},
};
use crate::{Error, database::Database, holds::sweeper::sweep_once, migrate};

async fn database() -> (Database, testkit::mongo::TestMongo) {
    let mongo = testkit::mongo::database().await;
    migrate::run(&mongo.db).await.unwrap();
    let db = Database::of(mongo.db.clone());
    store::open(&db, "A").await.unwrap();
    (db, mongo)
}

fn adjustment(id: &str, units: i64) -> Movement {
    let mut movement = Movement::of_update(id.to_owned(), MovementKind::Adjust, units);
    movement.request_sha256 = Some("00".to_owned());
    movement
}

#[tokio::test]
async fn a_repeated_request_that_read_the_stock_before_the_first_was_applied_adds_nothing() {
    let (db, _mongo) = database().await;
    let movement = adjustment("one", 5);
    // Once while the entry is in the journal, and once after the sweeper has moved it to the ledger.
    for units in [5, 10] {
        let movement = adjustment(&format!("{units}"), 5);
        let AdjustmentState::Unapplied(seen) = check_adjustment(&db, "A", &movement).await.unwrap() else {
            panic!("the adjustment was not applied before");
        };
        let first = store::adjust(&db, "A", &movement).await.unwrap();
        assert_eq!(first.levels.on_hand, units);
        if units == 10 {
            sweep_once(&db).await.unwrap();
        }
        assert!(apply_adjustment(&db, &seen, &movement).await.unwrap().is_none());
        let again = store::adjust(&db, "A", &movement).await.unwrap();
        assert!(again.stock.is_none(), "the request is a repetition");
        assert_eq!(again.levels, first.levels);
    }
    let AdjustmentState::Unapplied(stock) = check_adjustment(&db, "A", &movement).await.unwrap() else {
        panic!("this key was not used before");
    };
    assert_eq!(stock.on_hand, 10);
}

#[tokio::test]
async fn a_document_without_the_ledgered_counter_can_be_adjusted() {
    let (db, _mongo) = database().await;
    let without = doc! {"$unset": {"ledgered": ""}};
    db.stock.update_one(doc! {"_id": "A"}, without).await.unwrap();
    for number in 1..=2 {
        let movement = adjustment(&format!("{number}"), 5);
        let adjusted = store::adjust(&db, "A", &movement).await.unwrap();
        assert_eq!(adjusted.levels.on_hand, 5 * number);
        sweep_once(&db).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_used_with_another_body_is_refused_from_journal_and_ledger() {
    let (db, _mongo) = database().await;
    store::adjust(&db, "A", &adjustment("one", 5)).await.unwrap();
    let mut other = adjustment("one", 5);
    other.request_sha256 = Some("01".to_owned());
    for _ in 0..2 {
        let result = store::adjust(&db, "A", &other).await;
        assert!(matches!(result, Err(Error::KeyReused)), "{result:?}");
        sweep_once(&db).await.unwrap();
    }
}

//! Two requests with one `Idempotency-Key` of which one stands still between its look and its update.

use bson::doc;

use super::{
    Movement, MovementKind,
    store::{self, Seen, look, write},
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
async fn a_repetition_that_looked_before_the_first_was_written_adds_nothing() {
    let (db, _mongo) = database().await;
    let movement = adjustment("one", 5);
    // With the entry in the journal, and after the sweeper has moved it to the ledger.
    for units in [5, 10] {
        let movement = adjustment(&format!("{units}"), 5);
        let Seen::New(seen) = look(&db, "A", &movement).await.unwrap() else {
            panic!("it is new");
        };
        let first = store::adjust(&db, "A", &movement).await.unwrap();
        assert_eq!(first.levels.on_hand, units);
        if units == 10 {
            sweep_once(&db).await.unwrap();
        }
        assert!(write(&db, &seen, &movement).await.unwrap().is_none());
        let again = store::adjust(&db, "A", &movement).await.unwrap();
        assert!(again.stock.is_none(), "it is a repetition");
        assert_eq!(again.levels, first.levels);
    }
    let Seen::New(stock) = look(&db, "A", &movement).await.unwrap() else {
        panic!("no such key was used");
    };
    assert_eq!(stock.on_hand, 10);
}

#[tokio::test]
async fn a_document_from_before_the_counter_can_be_adjusted() {
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
async fn a_key_that_came_with_another_body_is_refused_in_journal_and_ledger() {
    let (db, _mongo) = database().await;
    store::adjust(&db, "A", &adjustment("one", 5)).await.unwrap();
    let mut other = adjustment("one", 5);
    other.request_sha256 = Some("01".to_owned());
    for _ in 0..2 {
        let refused = store::adjust(&db, "A", &other).await;
        assert!(matches!(refused, Err(Error::KeyReused)), "{refused:?}");
        sweep_once(&db).await.unwrap();
    }
}

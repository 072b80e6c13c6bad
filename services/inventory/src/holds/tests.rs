//! Two deliveries of one command of which one stands still between its look and its update: stepped by hand, because a race
//! that is only hoped for proves nothing.

use bson::{DateTime, doc};
use contracts::{
    OrderId, ReturnId,
    saga::{CommitStock, Outcome, PinStock, ReleaseStock, ReserveStock, RestockItems},
};

use super::{
    by_sku, commit,
    commit::take_off,
    holds_of, pin,
    pin::{mark, undo},
    release,
    release::close,
    reserve,
    reserve::{refuse, take},
    restock,
    restock::addition,
    sweeper::sweep_once,
};
use crate::{
    batch,
    database::Database,
    migrate,
    stock::{Hold, HoldState, Movement, MovementKind, Stock, store},
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
    let again = addition(&db, &seen, &movement).unwrap();
    assert_eq!(batch::apply(&db, "stock", vec![again]).await.unwrap(), 0);
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

    assert_eq!(take_off(&db, std::slice::from_ref(&seen)).await.unwrap(), 0);
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

/// Two deliveries of one reservation of A and B, of which B is sold out. The first has held A, found B short, and stands
/// still; then B came back, and the second held both.
struct Late {
    db: Database,
    command: ReserveStock,
    refusal: Outcome,
    _mongo: testkit::mongo::TestMongo,
}

impl Late {
    async fn new() -> Self {
        let (db, mongo) = five().await;
        store::open(&db, "B").await.unwrap();
        let b = contracts::OrderItem {
            sku: "B".parse().unwrap(),
            quantity: 1_i64.try_into().unwrap(),
        };
        let command = ReserveStock {
            order_id: OrderId::generate(),
            items: [items(2), vec![b]].concat(),
        };
        let wanted = by_sku(&command.items).unwrap();
        let refusal = take(&db, command.order_id, &wanted).await.unwrap().unwrap();
        let movement = Movement::of_update("five more".to_owned(), MovementKind::Adjust, 5);
        store::adjust(&db, "B", &movement).await.unwrap();
        assert_eq!(reserve(&db, &command).await.unwrap(), Outcome::Done);
        Self {
            db,
            command,
            refusal,
            _mongo: mongo,
        }
    }

    /// The states of the holds.
    async fn states(&self) -> Vec<HoldState> {
        let holds = holds_of(&self.db, self.command.order_id).await.unwrap();
        holds.into_iter().map(|held| held.hold.state).collect()
    }

    async fn pin(&self) -> Outcome {
        let order_id = self.command.order_id;
        pin(&self.db, &PinStock { order_id }).await.unwrap()
    }

    async fn commit(&self) -> Outcome {
        let order_id = self.command.order_id;
        commit(&self.db, &CommitStock { order_id }).await.unwrap()
    }

    async fn release(&self) -> Outcome {
        let order_id = self.command.order_id;
        release(&self.db, &ReleaseStock { order_id }).await.unwrap()
    }

    /// The first delivery goes on where it has looked once more already, which is as late as it can be.
    async fn close(&self) -> Outcome {
        let refusal = self.refusal.clone();
        close(&self.db, self.command.order_id, 2, refusal).await.unwrap()
    }
}

#[tokio::test]
async fn a_delivery_that_found_too_little_is_answered_as_the_one_that_held_everything() {
    let late = Late::new().await;
    let order = late.command.order_id;
    let answer = refuse(&late.db, order, 2, late.refusal.clone()).await.unwrap();
    assert_eq!(answer, Outcome::Done);
    assert_eq!(late.states().await, [HoldState::Held; 2]);
    assert_eq!(late.pin().await, Outcome::Done);
    assert_eq!(late.commit().await, Outcome::Done);
}

#[tokio::test]
async fn a_late_refusal_never_touches_a_pinned_hold() {
    let late = Late::new().await;
    assert_eq!(late.pin().await, Outcome::Done);
    assert_eq!(late.close().await, Outcome::Done);
    assert_eq!(late.states().await, [HoldState::Pinned; 2]);
    // Every duplicate is answered as before.
    assert_eq!(late.pin().await, Outcome::Done);
    assert_eq!(reserve(&late.db, &late.command).await.unwrap(), Outcome::Done);
    assert_eq!(late.states().await, [HoldState::Pinned; 2]);
    assert_eq!(late.commit().await, Outcome::Done);
    assert_eq!(stock(&late.db).await.committed, 2);
}

#[tokio::test]
async fn a_late_refusal_changes_nothing_of_a_committed_order() {
    let late = Late::new().await;
    assert_eq!(late.pin().await, Outcome::Done);
    assert_eq!(late.commit().await, Outcome::Done);
    assert_eq!(late.close().await, Outcome::Done);
    // Before and after the journal has become the ledger.
    for _ in 0..2 {
        assert_eq!(late.commit().await, Outcome::Done);
        assert_eq!(late.pin().await, Outcome::Done);
        assert_eq!(reserve(&late.db, &late.command).await.unwrap(), Outcome::Done);
        let now = stock(&late.db).await;
        assert_eq!((now.on_hand, now.held, now.committed), (3, 0, 2));
        sweep_once(&late.db).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_before_the_pin_gives_everything_back_and_the_pin_is_refused() {
    let late = Late::new().await;
    assert_eq!(late.close().await, late.refusal);
    assert_eq!(late.states().await, []);
    assert!(matches!(late.pin().await, Outcome::Refused { reason, .. } if reason == "closed"));
    assert_eq!(reserve(&late.db, &late.command).await.unwrap(), late.refusal);
    assert_eq!(late.states().await, []);
}

#[tokio::test]
async fn a_release_gives_back_what_a_late_refusal_had_to_leave() {
    let late = Late::new().await;
    assert_eq!(late.pin().await, Outcome::Done);
    assert_eq!(late.close().await, Outcome::Done);
    assert_eq!(late.release().await, Outcome::Done);
    assert_eq!(late.states().await, []);
    assert!(matches!(late.pin().await, Outcome::Refused { reason, .. } if reason == "closed"));
    assert_eq!(reserve(&late.db, &late.command).await.unwrap(), late.refusal);
    assert_eq!(late.states().await, []);
}

#[tokio::test]
async fn nothing_stays_pinned_of_an_order_that_was_released_before() {
    let late = Late::new().await;
    assert_eq!(late.release().await, Outcome::Done);
    // A third delivery takes the items, and before it looks at the ledger a pin that looked before the release pins them.
    let wanted = by_sku(&late.command.items).unwrap();
    let order = late.command.order_id;
    assert_eq!(take(&late.db, order, &wanted).await.unwrap(), None);
    let pinned = doc! {"$set": {"holds.$.state": "pinned", "holds.$.expires_at": bson::Bson::Null}};
    let mine = doc! {"holds.order_id": order.to_string()};
    late.db.stock.update_many(mine, pinned).await.unwrap();
    assert!(matches!(
        reserve(&late.db, &late.command).await.unwrap(),
        Outcome::Refused { .. }
    ));
    assert_eq!(late.states().await, []);
}

/// Two deliveries of one pin. The hold of A expired after the first had looked, so that it has pinned only B.
async fn half_pinned() -> Late {
    let late = Late::new().await;
    let order = late.command.order_id.to_string();
    let past = doc! {"$set": {"holds.$.expires_at": DateTime::from_millis(0)}};
    let mine = doc! {"_id": "A", "holds.order_id": order};
    late.db.stock.update_one(mine, past).await.unwrap();
    assert_eq!(sweep_once(&late.db).await.unwrap().expired, 1);
    assert_eq!(mark(&late.db, late.command.order_id, "first").await.unwrap(), 1);
    late
}

#[tokio::test]
async fn a_pin_that_failed_late_leaves_what_its_duplicate_has_pinned() {
    let late = half_pinned().await;
    // A duplicate of the reservation takes A again, and then the second delivery of the pin finds everything.
    assert_eq!(reserve(&late.db, &late.command).await.unwrap(), Outcome::Done);
    assert_eq!(late.pin().await, Outcome::Done);
    let order = late.command.order_id;
    assert_eq!(undo(&late.db, order, 2, "first").await.unwrap(), Outcome::Done);
    // Even if it had looked for that before.
    super::pin::let_expire(&late.db, order, Some("first"))
        .await
        .unwrap();
    assert_eq!(late.states().await, [HoldState::Pinned; 2]);
    assert_eq!(late.commit().await, Outcome::Done);
}

#[tokio::test]
async fn a_pin_that_failed_lets_the_holds_that_it_found_expire() {
    let late = half_pinned().await;
    let order = late.command.order_id;
    let outcome = undo(&late.db, order, 2, "first").await.unwrap();
    assert!(matches!(outcome, Outcome::Refused { reason, .. } if reason == "hold_expired"));
    assert_eq!(late.states().await, [HoldState::Held]);
}

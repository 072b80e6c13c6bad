//! Races between two deliveries of one command, where one delivery pauses between reading and updating. The tests execute
//! the steps explicitly, because a race that depends on timing proves nothing.

use bson::{DateTime, doc};
use contracts::{
    OrderId, ReturnId,
    saga::{CommitStock, Outcome, PinStock, ReleaseStock, ReserveStock, RestockItems},
};

use super::{
    by_sku, commit,
    commit::commit_holds,
    holds_of, pin,
    pin::{pin_holds, undo_pin},
    release,
    release::close,
    reserve,
    reserve::{hold_items, refuse},
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

/// A new database with five units of SKU `A`.
async fn database_with_five_units() -> (Database, testkit::mongo::TestMongo) {
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
async fn a_return_that_read_the_stock_before_its_duplicate_was_applied_adds_nothing() {
    let (db, _mongo) = database_with_five_units().await;
    let command = RestockItems {
        order_id: OrderId::generate(),
        return_id: ReturnId::generate(),
        items: items(2),
    };
    let seen = stock(&db).await;
    assert_eq!(restock(&db, &command).await.unwrap(), Outcome::Done);
    let movement = stock(&db).await.journal.pop().unwrap();
    sweep_once(&db).await.unwrap();
    assert!(
        stock(&db).await.journal.is_empty(),
        "the entry is only in the ledger"
    );
    let duplicate = addition(&db, &seen, &movement).unwrap();
    assert_eq!(batch::apply(&db, "stock", vec![duplicate]).await.unwrap(), 0);
    assert_eq!(stock(&db).await.on_hand, 7);
}

#[tokio::test]
async fn a_commit_that_read_the_holds_before_its_duplicate_ignores_a_later_hold() {
    let (db, _mongo) = database_with_five_units().await;
    let order_id = OrderId::generate();
    let wanted = ReserveStock {
        order_id,
        items: items(2),
        hold_seconds: 900,
    };
    assert_eq!(reserve(&db, &wanted).await.unwrap(), Outcome::Done);
    let seen = holds_of(&db, order_id).await.unwrap().remove(0);
    assert_eq!(
        commit(&db, &CommitStock { order_id }).await.unwrap(),
        Outcome::Done
    );
    sweep_once(&db).await.unwrap();
    // The hold of a late duplicate of the reservation, which crashed before it could release the hold.
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

    assert_eq!(commit_holds(&db, std::slice::from_ref(&seen)).await.unwrap(), 0);
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
        "the stray hold was released"
    );
}

/// Two deliveries of one reservation of A and B, where B is out of stock at first. The first delivery has held A, found B
/// short, and pauses. Then B is restocked and the second delivery holds both.
struct Scenario {
    db: Database,
    command: ReserveStock,
    refusal: Outcome,
    _mongo: testkit::mongo::TestMongo,
}

impl Scenario {
    async fn new() -> Self {
        let (db, mongo) = database_with_five_units().await;
        store::open(&db, "B").await.unwrap();
        let b = contracts::OrderItem {
            sku: "B".parse().unwrap(),
            quantity: 1_i64.try_into().unwrap(),
        };
        let command = ReserveStock {
            order_id: OrderId::generate(),
            items: [items(2), vec![b]].concat(),
            hold_seconds: 900,
        };
        let wanted = by_sku(&command.items).unwrap();
        let refusal = hold_items(&db, command.order_id, &wanted, 900_000)
            .await
            .unwrap()
            .unwrap();
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

    /// The states of the order's holds.
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

    /// The first delivery resumes at the latest possible point, after it has read the holds once more.
    async fn close(&self) -> Outcome {
        let refusal = self.refusal.clone();
        close(&self.db, self.command.order_id, 2, refusal).await.unwrap()
    }
}

#[tokio::test]
async fn a_delivery_that_found_too_few_units_gets_the_same_reply_as_the_successful_one() {
    let scenario = Scenario::new().await;
    let order = scenario.command.order_id;
    let answer = refuse(&scenario.db, order, 2, scenario.refusal.clone())
        .await
        .unwrap();
    assert_eq!(answer, Outcome::Done);
    assert_eq!(scenario.states().await, [HoldState::Held; 2]);
    assert_eq!(scenario.pin().await, Outcome::Done);
    assert_eq!(scenario.commit().await, Outcome::Done);
}

#[tokio::test]
async fn a_late_refusal_never_touches_a_pinned_hold() {
    let scenario = Scenario::new().await;
    assert_eq!(scenario.pin().await, Outcome::Done);
    assert_eq!(scenario.close().await, Outcome::Done);
    assert_eq!(scenario.states().await, [HoldState::Pinned; 2]);
    // Every duplicate gets the same reply as before.
    assert_eq!(scenario.pin().await, Outcome::Done);
    assert_eq!(
        reserve(&scenario.db, &scenario.command).await.unwrap(),
        Outcome::Done
    );
    assert_eq!(scenario.states().await, [HoldState::Pinned; 2]);
    assert_eq!(scenario.commit().await, Outcome::Done);
    assert_eq!(stock(&scenario.db).await.committed, 2);
}

#[tokio::test]
async fn a_late_refusal_does_not_change_a_committed_order() {
    let scenario = Scenario::new().await;
    assert_eq!(scenario.pin().await, Outcome::Done);
    assert_eq!(scenario.commit().await, Outcome::Done);
    assert_eq!(scenario.close().await, Outcome::Done);
    // Before and after the journal entries are moved to the ledger.
    for _ in 0..2 {
        assert_eq!(scenario.commit().await, Outcome::Done);
        assert_eq!(scenario.pin().await, Outcome::Done);
        assert_eq!(
            reserve(&scenario.db, &scenario.command).await.unwrap(),
            Outcome::Done
        );
        let now = stock(&scenario.db).await;
        assert_eq!((now.on_hand, now.held, now.committed), (3, 0, 2));
        sweep_once(&scenario.db).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_before_the_pin_releases_all_holds_and_the_pin_is_refused() {
    let scenario = Scenario::new().await;
    assert_eq!(scenario.close().await, scenario.refusal);
    assert_eq!(scenario.states().await, []);
    assert!(matches!(scenario.pin().await, Outcome::Refused { reason, .. } if reason == "closed"));
    assert_eq!(
        reserve(&scenario.db, &scenario.command).await.unwrap(),
        scenario.refusal
    );
    assert_eq!(scenario.states().await, []);
}

#[tokio::test]
async fn a_release_removes_the_pinned_holds_that_a_late_refusal_kept() {
    let scenario = Scenario::new().await;
    assert_eq!(scenario.pin().await, Outcome::Done);
    assert_eq!(scenario.close().await, Outcome::Done);
    assert_eq!(scenario.release().await, Outcome::Done);
    assert_eq!(scenario.states().await, []);
    assert!(matches!(scenario.pin().await, Outcome::Refused { reason, .. } if reason == "closed"));
    assert_eq!(
        reserve(&scenario.db, &scenario.command).await.unwrap(),
        scenario.refusal
    );
    assert_eq!(scenario.states().await, []);
}

#[tokio::test]
async fn no_hold_stays_pinned_for_an_order_that_was_released_before() {
    let scenario = Scenario::new().await;
    assert_eq!(scenario.release().await, Outcome::Done);
    // A third delivery holds the items. Before it reads the ledger, a pin that read the ledger before the release pins them.
    let wanted = by_sku(&scenario.command.items).unwrap();
    let order = scenario.command.order_id;
    assert_eq!(
        hold_items(&scenario.db, order, &wanted, 900_000).await.unwrap(),
        None
    );
    let pinned = doc! {"$set": {"holds.$.state": "pinned", "holds.$.expires_at": bson::Bson::Null}};
    let mine = doc! {"holds.order_id": order.to_string()};
    scenario.db.stock.update_many(mine, pinned).await.unwrap();
    assert!(matches!(
        reserve(&scenario.db, &scenario.command).await.unwrap(),
        Outcome::Refused { .. }
    ));
    assert_eq!(scenario.states().await, []);
}

/// Two deliveries of one pin. The hold on A expired after the first delivery read it, so the first has pinned only B.
async fn half_pinned() -> Scenario {
    let scenario = Scenario::new().await;
    let order = scenario.command.order_id.to_string();
    let past = doc! {"$set": {"holds.$.expires_at": DateTime::from_millis(0)}};
    let mine = doc! {"_id": "A", "holds.order_id": order};
    scenario.db.stock.update_one(mine, past).await.unwrap();
    assert_eq!(sweep_once(&scenario.db).await.unwrap().expired, 1);
    assert_eq!(
        pin_holds(&scenario.db, scenario.command.order_id, "first")
            .await
            .unwrap(),
        1
    );
    scenario
}

#[tokio::test]
async fn a_pin_that_fails_late_keeps_the_holds_that_its_duplicate_pinned() {
    let scenario = half_pinned().await;
    // A duplicate of the reservation holds A again, and then the second delivery of the pin finds all holds.
    assert_eq!(
        reserve(&scenario.db, &scenario.command).await.unwrap(),
        Outcome::Done
    );
    assert_eq!(scenario.pin().await, Outcome::Done);
    let order = scenario.command.order_id;
    assert_eq!(
        undo_pin(&scenario.db, order, 2, "first").await.unwrap(),
        Outcome::Done
    );
    // The last step of the first attempt does not unpin them either.
    super::pin::restart_expiry(&scenario.db, order, Some("first"))
        .await
        .unwrap();
    assert_eq!(scenario.states().await, [HoldState::Pinned; 2]);
    assert_eq!(scenario.commit().await, Outcome::Done);
}

#[tokio::test]
async fn a_failed_pin_lets_the_holds_that_it_pinned_expire() {
    let scenario = half_pinned().await;
    let order = scenario.command.order_id;
    let outcome = undo_pin(&scenario.db, order, 2, "first").await.unwrap();
    assert!(matches!(outcome, Outcome::Refused { reason, .. } if reason == "hold_expired"));
    assert_eq!(scenario.states().await, [HoldState::Held]);
}

//! For each invariant something that breaks it and no other.

use bson::{Document, doc};

use crate::support::{ORDER, Shop, execute};

/// The invariant's name, what breaks it, and a part of what is told of it.
type Planted = (&'static str, Plant, &'static str);

/// Something that must not be.
pub(crate) enum Plant {
    Users(&'static str),
    Orders(&'static str),
    Payments(&'static str),
    Psp(&'static str),
    Inventory(&'static str, Document),
    /// In more than one database.
    Several(Vec<Plant>),
}

impl Plant {
    pub(crate) async fn put_into(self, shop: &Shop) {
        match self {
            Self::Users(sql) => execute(&shop.users.pool, sql).await,
            Self::Orders(sql) => execute(&shop.orders.pool, &sql.replace("ORDER_ID", ORDER)).await,
            Self::Payments(sql) => execute(&shop.payments.pool, &sql.replace("ORDER_ID", ORDER)).await,
            Self::Psp(sql) => execute(&shop.psp.pool, sql).await,
            Self::Inventory(collection, document) => shop.put(collection, document).await,
            Self::Several(plants) => {
                for plant in plants {
                    Box::pin(plant.put_into(shop)).await;
                }
            }
        }
    }
}

/// All of them.
pub(crate) fn plants() -> impl Iterator<Item = Planted> {
    money()
        .into_iter()
        .chain(goods())
        .chain(checkouts())
        .chain(traffic())
        .chain(aftermath())
}

/// Money that is not where it should be.
fn money() -> [Planted; 3] {
    [
        (
            "ledger_balances",
            Plant::Payments(
                "BEGIN; SET LOCAL session_replication_role = replica;
                 INSERT INTO ledger_entries (transaction_id, account, amount, currency)
                     VALUES ('ORDER_ID', 'sales', 7, 'EUR'); COMMIT",
            ),
            "is off by 7 EUR",
        ),
        (
            "books_agree",
            Plant::Psp(
                r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, amount_captured)
                       VALUES ('pi_2', 5, 'EUR', 'x', '{"order_id": "unknown"}', 'succeeded', 5);
                   INSERT INTO balance_transactions (kind, payment_intent, amount, currency)
                       VALUES ('charge', 'pi_2', 5, 'EUR')"#,
            ),
            "order unknown: the provider took 5",
        ),
        (
            "one_charge",
            Plant::Psp(
                r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status)
                       SELECT id, 5, 'EUR', 'x', '{"order_id": "twice"}', 'requires_capture'
                       FROM unnest(ARRAY['pi_3', 'pi_4']) id"#,
            ),
            "order twice: 2 intents",
        ),
    ]
}

/// Goods that are neither here nor sold.
fn goods() -> [Planted; 4] {
    let stock = |sku: &str, available: i64, received: i64, order: &str| {
        let holds: Vec<Document> = (!order.is_empty())
            .then(|| doc! {"order_id": order, "qty": 1})
            .into_iter()
            .collect();
        let held = i64::try_from(holds.len()).unwrap();
        doc! {"_id": sku, "on_hand": 5, "available": available, "held": held, "committed": 0, "received": received,
        "restocked": 0, "holds": holds, "journal": []}
    };
    [
        (
            "stock_adds_up",
            Plant::Inventory("stock", stock("LOST-1", 4, 5, "")),
            "LOST-1: 5 on hand, 4 available",
        ),
        (
            "stock_received",
            Plant::Inventory("stock", stock("FOUND-1", 5, 4, "")),
            "FOUND-1: 5 on hand or sold, 4 came in",
        ),
        (
            "confirmed_is_committed",
            Plant::Inventory("stock", stock("HELD-1", 4, 5, ORDER)),
            "is over and still holds HELD-1",
        ),
        (
            "confirmed_is_committed",
            Plant::Inventory(
                "movements",
                doc! {"_id": "m2", "kind": "commit", "order_id": "unknown", "sku": "TEA-1", "qty": -1},
            ),
            "order unknown: 1 of TEA-1 left the stock",
        ),
    ]
}

/// Checkouts that ended as none may.
fn checkouts() -> [Planted; 4] {
    [
        (
            "confirmed_is_captured",
            Plant::Orders(
                "INSERT INTO orders SELECT '01890000-0000-7000-8000-000000000002', user_id, status, reason, payment_id,
                     payment_method, payment_status, fulfilment_status, amount, refunded, currency, shipping_address,
                     trace_id, created_at, updated_at FROM orders",
            ),
            "order 01890000-0000-7000-8000-000000000002 is confirmed, its payment None",
        ),
        (
            "sagas_end",
            Plant::Orders(
                // Of another order: what is under way is spared.
                "BEGIN; SET LOCAL session_replication_role = replica;
                 INSERT INTO sagas (id, order_id, definition, status, step_name, direction, awaiting, attempts, next_at,
                     deadline_at, data, created_at)
                 VALUES ('01890000-0000-7000-8000-000000000003', gen_random_uuid(), 'return', 'running', 'refund', 'do',
                     gen_random_uuid(), 1, now(), now(), '{}', now() - interval '11 minutes'); COMMIT",
            ),
            "saga 01890000-0000-7000-8000-000000000003 is running at refund",
        ),
        (
            "no_undo_after_capture",
            Plant::Orders(
                "INSERT INTO saga_log (saga_id, step, direction, outcome)
                     VALUES ('ORDER_ID', 'pin_stock', 'undo', 'done')",
            ),
            "was undone after its capture",
        ),
        (
            "one_effect",
            Plant::Orders(
                "INSERT INTO saga_log (saga_id, step, direction, command_id, outcome)
                     SELECT saga_id, step, 'do', command_id, 'done' FROM saga_log WHERE direction = 'do'",
            ),
            "is done 2 times",
        ),
    ]
}

/// Orders that are over or paid back, and are treated as if they were not.
fn aftermath() -> [Planted; 2] {
    [
        (
            "shipped_is_kept",
            Plant::Orders(
                "INSERT INTO shipments (order_id) VALUES ('ORDER_ID');
                 INSERT INTO returns (id, order_id, status, reason, amount)
                     VALUES (gen_random_uuid(), 'ORDER_ID', 'requested', 'too small', 450)",
            ),
            "order 01890000-0000-7000-8000-000000000001 was shipped while its return",
        ),
        (
            "reservations_end",
            Plant::Several(vec![
                Plant::Orders(
                    "INSERT INTO orders SELECT '01890000-0000-7000-8000-000000000009', user_id, 'rejected', 'timeout',
                         payment_id, payment_method, 'voided', 'cancelled', amount, refunded, currency,
                         shipping_address, trace_id, created_at, updated_at FROM orders WHERE id = 'ORDER_ID'",
                ),
                Plant::Psp(
                    r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, created_at)
                           VALUES ('pi_late', 900, 'EUR', 'x', '{"order_id": "01890000-0000-7000-8000-000000000009"}',
                               'requires_capture', now() - interval '3 minutes')"#,
                ),
            ]),
            "000000000009 is rejected, and pi_late still reserves its money",
        ),
    ]
}

/// Messages, keys, actions and tokens.
fn traffic() -> [Planted; 6] {
    [
        (
            "events_told",
            Plant::Payments(
                "INSERT INTO payment_events (payment_id, type, version, data)
                     VALUES ('ORDER_ID', 'payment_captured', 1, '{}');
                 UPDATE event_cursor SET id = 1",
            ),
            "payments: event 1, payment_captured of 01890000-0000-7000-8000-000000000001, is not on Kafka",
        ),
        (
            "outboxes_empty",
            Plant::Payments(
                "INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, body, created_at)
                     VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'a-queue', gen_random_uuid(), '{}',
                         now() - interval '10 seconds')",
            ),
            "to a-queue since",
        ),
        (
            "dead_letters_parked",
            Plant::Orders(
                "INSERT INTO dead_letters (id, message_id, kind, queue, correlation_id, body, reason, attempts)
                     VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'a-queue', gen_random_uuid(), '', 'poison', 1)",
            ),
            "of a-queue: poison",
        ),
        (
            "one_key_one_order",
            Plant::Orders(
                r#"INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, body)
                       VALUES (gen_random_uuid(), 'place_order', 'k', '', 202, '{"id": "nowhere"}')"#,
            ),
            "1 keys answered with order nowhere",
        ),
        (
            "actions_signed",
            Plant::Inventory(
                "movements",
                doc! {"_id": "m3", "kind": "adjust", "sku": "TEA-1", "qty": 1, "actor": "somebody", "reason": ""},
            ),
            "somebody",
        ),
        (
            "one_live_token",
            Plant::Users(
                "DROP INDEX refresh_tokens_one_live; SET session_replication_role = replica;
                 INSERT INTO refresh_tokens (sha256, session_id, expires_at)
                     SELECT sha256, 'ffffffff-ffff-ffff-ffff-ffffffffffff', now()
                     FROM unnest(ARRAY['a', 'b']::bytea[]) sha256;
                 RESET session_replication_role",
            ),
            "has 2 live tokens",
        ),
    ]
}

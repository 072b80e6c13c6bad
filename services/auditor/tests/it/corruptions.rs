//! For each invariant, a corruption of the databases that violates it and no other invariant.

use bson::{Document, doc};

use crate::support::{ORDER, Shop, execute};

/// The name of the invariant, the corruption that violates it, and a part of the expected violation text.
type Case = (&'static str, Corruption, &'static str);

/// A change by which a database violates an invariant.
pub(crate) enum Corruption {
    Users(&'static str),
    Orders(&'static str),
    Payments(&'static str),
    Psp(&'static str),
    Inventory(&'static str, Document),
    /// Changes in several databases.
    Several(Vec<Corruption>),
}

impl Corruption {
    pub(crate) async fn apply_to(self, shop: &Shop) {
        match self {
            Self::Users(sql) => execute(&shop.users.pool, sql).await,
            Self::Orders(sql) => execute(&shop.orders.pool, &sql.replace("ORDER_ID", ORDER)).await,
            Self::Payments(sql) => execute(&shop.payments.pool, &sql.replace("ORDER_ID", ORDER)).await,
            Self::Psp(sql) => execute(&shop.psp.pool, sql).await,
            Self::Inventory(collection, document) => shop.insert(collection, document).await,
            Self::Several(corruptions) => {
                for corruption in corruptions {
                    Box::pin(corruption.apply_to(shop)).await;
                }
            }
        }
    }
}

/// Every corruption, with at least one for each invariant.
pub(crate) fn corruptions() -> impl Iterator<Item = Case> {
    money()
        .into_iter()
        .chain(stock())
        .chain(checkouts())
        .chain(messages())
        .chain(ended_orders())
}

/// Books of payments, the ledger and the provider that disagree.
fn money() -> [Case; 3] {
    [
        (
            "ledger_balances",
            Corruption::Payments(
                "BEGIN; SET LOCAL session_replication_role = replica;
                 INSERT INTO ledger_entries (transaction_id, account, amount, currency)
                     VALUES ('ORDER_ID', 'sales', 7, 'EUR'); COMMIT",
            ),
            "is off by 7 EUR",
        ),
        (
            "books_agree",
            Corruption::Psp(
                r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, amount_captured)
                       VALUES ('pi_2', 5, 'EUR', 'x', '{"order_id": "unknown"}', 'succeeded', 5);
                   INSERT INTO balance_transactions (kind, payment_intent, amount, currency)
                       VALUES ('charge', 'pi_2', 5, 'EUR')"#,
            ),
            "order unknown: the provider took 5",
        ),
        (
            "one_charge",
            Corruption::Psp(
                r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status)
                       SELECT id, 5, 'EUR', 'x', '{"order_id": "twice"}', 'requires_capture'
                       FROM unnest(ARRAY['pi_3', 'pi_4']) id"#,
            ),
            "order twice: 2 intents",
        ),
    ]
}

/// Units of stock that are missing, surplus or held for an ended order.
fn stock() -> [Case; 4] {
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
            Corruption::Inventory("stock", stock("LOST-1", 4, 5, "")),
            "LOST-1: 5 on hand, 4 available",
        ),
        (
            "stock_received",
            Corruption::Inventory("stock", stock("FOUND-1", 5, 4, "")),
            "FOUND-1: 5 on hand or committed, 4 received",
        ),
        (
            "confirmed_is_committed",
            Corruption::Inventory("stock", stock("HELD-1", 4, 5, ORDER)),
            "has ended but still holds HELD-1",
        ),
        (
            "confirmed_is_committed",
            Corruption::Inventory(
                "movements",
                doc! {"_id": "m2", "kind": "commit", "order_id": "unknown", "sku": "TEA-1", "qty": -1},
            ),
            "order unknown: 1 of TEA-1 committed, but",
        ),
    ]
}

/// Orders and sagas in states that no checkout may end in.
fn checkouts() -> [Case; 4] {
    [
        (
            "confirmed_is_captured",
            Corruption::Orders(
                "INSERT INTO orders SELECT '01890000-0000-7000-8000-000000000002', user_id, status, reason, payment_id,
                     payment_method, payment_status, fulfilment_status, amount, refunded, currency, shipping_address,
                     trace_id, created_at, updated_at FROM orders",
            ),
            "order 01890000-0000-7000-8000-000000000002 is confirmed, but it has no payment",
        ),
        (
            "sagas_end",
            Corruption::Orders(
                // For another order: violations of an order with a running saga are ignored.
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
            Corruption::Orders(
                "INSERT INTO saga_log (saga_id, step, direction, outcome)
                     VALUES ('ORDER_ID', 'pin_stock', 'undo', 'done')",
            ),
            "was undone after its capture",
        ),
        (
            "one_effect",
            Corruption::Orders(
                "INSERT INTO saga_log (saga_id, step, direction, command_id, outcome)
                     SELECT saga_id, step, 'do', command_id, 'done' FROM saga_log WHERE direction = 'do'",
            ),
            "is done 2 times",
        ),
    ]
}

/// Orders that ended or are being returned, but are treated as if they were live.
fn ended_orders() -> [Case; 2] {
    [
        (
            "shipped_is_kept",
            Corruption::Orders(
                "INSERT INTO shipments (order_id) VALUES ('ORDER_ID');
                 INSERT INTO returns (id, order_id, status, reason, amount)
                     VALUES (gen_random_uuid(), 'ORDER_ID', 'requested', 'too small', 450)",
            ),
            "order 01890000-0000-7000-8000-000000000001 was shipped while its return",
        ),
        (
            "reservations_end",
            Corruption::Several(vec![
                Corruption::Orders(
                    "INSERT INTO orders SELECT '01890000-0000-7000-8000-000000000009', user_id, 'rejected', 'timeout',
                         payment_id, payment_method, 'voided', 'cancelled', amount, refunded, currency,
                         shipping_address, trace_id, created_at, updated_at FROM orders WHERE id = 'ORDER_ID'",
                ),
                Corruption::Psp(
                    r#"INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, created_at)
                           VALUES ('pi_late', 900, 'EUR', 'x', '{"order_id": "01890000-0000-7000-8000-000000000009"}',
                               'requires_capture', now() - interval '3 minutes')"#,
                ),
            ]),
            "000000000009 is rejected, but pi_late still reserves money",
        ),
    ]
}

/// Messages, idempotency keys, operator actions and tokens.
fn messages() -> [Case; 6] {
    [
        (
            "events_published",
            Corruption::Payments(
                "INSERT INTO payment_events (payment_id, type, version, data)
                     VALUES ('ORDER_ID', 'payment_captured', 1, '{}');
                 UPDATE event_cursor SET id = 1",
            ),
            "payments: event 1, payment_captured of 01890000-0000-7000-8000-000000000001, is not on Kafka",
        ),
        (
            "outboxes_empty",
            Corruption::Payments(
                "INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, body, created_at)
                     VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'a-queue', gen_random_uuid(), '{}',
                         now() - interval '10 seconds')",
            ),
            "to a-queue since",
        ),
        (
            "dead_letters_parked",
            Corruption::Orders(
                "INSERT INTO dead_letters (id, message_id, kind, queue, correlation_id, body, reason, attempts)
                     VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'a-queue', gen_random_uuid(), '', 'poison', 1)",
            ),
            "of a-queue: poison",
        ),
        (
            "one_key_one_order",
            Corruption::Orders(
                r#"INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, body)
                       VALUES (gen_random_uuid(), 'place_order', 'k', '', 202, '{"id": "nowhere"}')"#,
            ),
            "1 keys answered with order nowhere",
        ),
        (
            "actions_signed",
            Corruption::Inventory(
                "movements",
                doc! {"_id": "m3", "kind": "adjust", "sku": "TEA-1", "qty": 1, "actor": "an-administrator", "reason": ""},
            ),
            "an-administrator",
        ),
        (
            "one_live_token",
            Corruption::Users(
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

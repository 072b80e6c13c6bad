-- What the auditor may read in payments.
GRANT SELECT (id, order_id, status, captured, refunded, updated_at) ON payments TO payments_reader;
GRANT SELECT (payment_id, status, updated_at) ON refunds TO payments_reader;
GRANT SELECT (id, payment_id) ON ledger_transactions TO payments_reader;
GRANT SELECT (transaction_id, account, amount, currency) ON ledger_entries TO payments_reader;
GRANT SELECT (message_id, queue, aggregate_id, correlation_id, created_at) ON outbox TO payments_reader;
-- Event headers and the publishing position, but not the event data.
GRANT SELECT (id, aggregate_id, type, occurred_at) ON domain_events TO payments_reader;
GRANT SELECT (id) ON event_cursor TO payments_reader;

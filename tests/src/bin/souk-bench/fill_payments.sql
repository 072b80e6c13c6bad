-- Copies one captured payment souk.copies times, with its rows in the inbox and the webhook events.
CREATE TEMP TABLE original AS
SELECT * FROM payments WHERE status = 'captured' ORDER BY created_at DESC LIMIT 1;
CREATE TEMP TABLE copies AS
SELECT gen_random_uuid() AS id FROM generate_series(1, current_setting('souk.copies')::int);

INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured)
SELECT copies.id, gen_random_uuid(), gen_random_uuid(), status, amount, currency, payment_method, 'pi_' || copies.id,
    authorized, captured
FROM original, copies;

INSERT INTO inbox (message_id, body_sha256, reply)
SELECT gen_random_uuid(), message.body_sha256, message.reply
FROM (SELECT * FROM inbox WHERE reply IS NOT NULL LIMIT 2) AS message, copies;

INSERT INTO webhook_events (event_id, kind)
SELECT 'evt_' || gen_random_uuid(), event.kind
FROM (SELECT * FROM webhook_events LIMIT 2) AS event, copies;

ANALYZE;

-- Copies one captured intent souk.copies times, with the stored responses to its two requests.
CREATE TEMP TABLE original AS
SELECT * FROM payment_intents WHERE status = 'succeeded' ORDER BY created_at DESC LIMIT 1;
CREATE TEMP TABLE copies AS
SELECT gen_random_uuid() AS id FROM generate_series(1, current_setting('souk.copies')::int);

INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, amount_captured)
SELECT 'pi_' || copies.id, amount, currency, payment_method, metadata, status, amount_captured
FROM original, copies;

INSERT INTO idempotency_keys (key, request_hash, status, body)
SELECT gen_random_uuid()::text, answer.request_hash, answer.status, answer.body
FROM (SELECT * FROM idempotency_keys WHERE status = 200 LIMIT 2) AS answer, copies;

ANALYZE;

-- What the auditor may read in the payment provider's books.
GRANT SELECT (id, metadata, status, amount, amount_captured, amount_refunded, created_at) ON payment_intents TO psp_reader;
GRANT SELECT (payment_intent, amount) ON balance_transactions TO psp_reader;

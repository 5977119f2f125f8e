DROP TABLE idempotency_key, promise, history, checkout_session, setup_intent, token, payment_method,
    customer, balance_transaction, refund, charge, payment_intent;
DROP FUNCTION all_or_nothing(bigint, bigint);

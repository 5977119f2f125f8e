"""payment-api-service: Stripe's wire format over intents, charges, refunds and what belongs to them.

Here: `wire` (forms in, JSON out, errors, routes), `objects` (what Stripe's objects look like, one module a noun),
`graph` (which state may follow which, and what that tells the world), `flows` (what takes more than one step: a
promise written down, a question asked outside, its answer written down), `handlers` (one module a resource),
`pages` (what card holders see), `store` (the only place with SQL). Not here: card numbers beyond handing them on to
tokenization, money's books (transaction-service), sending webhooks (`payments.webhooks`).
"""

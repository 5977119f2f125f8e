"""transaction-service: money. Authorizations, captures, refunds, disputes, and the double-entry ledger under them.

What belongs here: what the acquirer is asked, and what the books say. What a merchant's API makes of it (intents,
charges, events) goes to payments.api; card numbers stay in payments.tokenization and only pass through on their way
to the acquirer.

How one request goes, so that a death at any step loses and doubles nothing:

1. its intent is written down (`operation`, state pending, with the key that the acquirer will know it by);
2. the acquirer is asked, outside any database transaction;
3. the outcome is written in one statement: operation, transaction, history and ledger entries.

No answer is *unknown*, never *failed*: `reconciler` asks by key until the acquirer's book and ours agree.
"""

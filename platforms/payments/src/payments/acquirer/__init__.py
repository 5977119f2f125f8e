"""A card acquirer to develop against: an external system in a process of its own, with its own book.

It stands in for the acquirer's gateway that production names in the plan; nothing of it runs in a cluster. What
belongs here: how a bank behaves. It imports nothing of the services that call it, as a bank would not.

HTTP JSON. Amounts are integers in minor units. Every POST that moves money takes a `key` of the caller's: the same
key has one effect and gives the same answer for ever; the same key with other parameters is answered 409.

==============================================  ================================================================
request                                         answer
==============================================  ================================================================
POST /authorizations                            200 authorization. Body: key, amount, currency, card {number,
                                                exp_month, exp_year, cvc?}, capture?, off_session?,
                                                authentication?, descriptor?. An amount of 0 verifies the card
GET /authorizations?key=                        200 authorization, 404 `unknown_key` when the key was never seen
GET /authorizations/{id}                        200 authorization
POST /authorizations/{id}/captures              200 operation. Body: key, amount, final?
POST /authorizations/{id}/voids                 200 operation. Body: key. Frees what is still held
POST /authorizations/{id}/refunds               200 operation. Body: key, amount
POST /reversals                                 200 {"status": "reversed" | "nothing"}. Body: key. Undoes whatever
                                                that authorization did, now and when it arrives later
GET /book?after=&limit=                         200 {"authorizations": […], "next": cursor or null}, oldest first
GET /events?after=&limit=                       200 {"events": […], "next": number}: disputes opened by card holders
GET, POST /authenticate/{id}?return_url=        the page where a card holder approves or fails (no JavaScript)
GET, POST, DELETE /faults                       what shall go wrong: {"kind", "count", "seconds"?}, see `faults`
==============================================  ================================================================

authorization: id, key, status ("authorized", "captured", "declined", "requires_action", "voided"), amount, captured,
refunded, held, currency, last4, decline_code?, authentication?, authentication_url?, network_transaction_id.
operation: id, key, kind, status ("succeeded", "failed"), amount, authorization. Errors: {"error": {"code",
"message"}} with 400 (malformed), 402 (refused by the rules of the network), 404, 409.

Its store is SQLite in WAL mode with synchronous=NORMAL: it survives its own death, and a power cut may lose the last
moments, which is fine for a stand-in. It keeps the last four digits and a keyed fingerprint of a card, nothing more.
"""

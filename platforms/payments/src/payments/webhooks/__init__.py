"""webhook-sender: takes deliveries from payment-api's outbox and tells the merchants' servers.

Here: which deliveries are due (`store`), who may be called at all (`guard`), how (`posting`, `signing`), when again
(`schedule`), and the loop that keeps one dead server from delaying another (`sender`). It sees no table but the
outbox and the endpoints, and it is the only workload that may reach the internet.
"""

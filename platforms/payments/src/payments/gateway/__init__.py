"""api-gateway: the one door. Every request from outside passes here and nowhere else.

What belongs here: which paths exist, who asks (API keys and access tokens, checked with auth-service), how often, how
large, how long; and handing the request on with headers that say who asks. What a request means is the business of
the service behind it.
"""

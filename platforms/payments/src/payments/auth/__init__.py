"""auth-service: who somebody is, and what they may do on the platform.

What belongs here: people and their passwords, sessions, the signing of access tokens, API keys, platform roles, and
the audit of all that. Who is a member of which merchant account goes to payments.merchant; checking what a gateway
lets through goes to payments.gateway.
"""

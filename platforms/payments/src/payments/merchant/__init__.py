"""merchant-service: merchant accounts, who works on them, and how they came to be allowed to take money.

What belongs here: the life of an account from draft to closed, its members and their roles, invitations, branding,
the handing out of API keys (which payments.auth owns), and a log of all that which shows when it was tampered with.
Payments themselves are payments.api's.
"""

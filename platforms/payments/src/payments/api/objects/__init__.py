"""What Stripe's objects look like, one module a noun: the struct is the wire's shape and the row's body at once.

What Stripe's shape has no place for (a card's token, the attempt of an intent) is in `rows.Inner`. Field names and
meanings: https://docs.stripe.com/api.
"""

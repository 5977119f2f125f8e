"""Parameters that several requests share."""

from __future__ import annotations

from payments.api.wire import params
from payments.api.wire.params import boolean, choice, integer, many, one, text

ADDRESS = params.Params(
    city=text(unset=True), country=text(most=2, unset=True), line1=text(unset=True), line2=text(unset=True),
    postal_code=text(most=50, unset=True), state=text(unset=True),
)  # fmt: skip
BILLING = params.Params(
    address=one(ADDRESS, unset=True), email=text(most=512, unset=True), name=text(most=200, unset=True),
    phone=text(most=50, unset=True), tax_id=text(most=100, unset=True),
)  # fmt: skip
SHIPPING = params.Params(
    address=one(ADDRESS, required=True), name=text(required=True), carrier=text(unset=True), phone=text(unset=True),
    tracking_number=text(unset=True),
)  # fmt: skip
CARD = params.Params(
    number=params.number(), exp_month=integer(), exp_year=integer(), cvc=params.cvc(), token=text(most=255),
    networks=one(params.Params(preferred=text(most=20))),
)  # fmt: skip
METHOD_DATA = params.Params(
    type=choice("card", required=True), card=one(CARD), billing_details=one(BILLING),
    allow_redisplay=choice("always", "limited", "unspecified"), metadata=params.metadata(),
    radar_options=one(params.Params(session=text())),
)  # fmt: skip
METHOD_OPTIONS = params.Params(
    card=one(
        params.Params(
            capture_method=choice("manual", unset=True),
            cvc_token=text(most=255),
            moto=boolean(),
            network=text(most=20),
            request_three_d_secure=choice("any", "automatic", "challenge"),
            setup_future_usage=choice("none", "off_session", "on_session", unset=True),
        )
    )
)  # fmt: skip
AUTOMATIC = params.Params(enabled=boolean(required=True), allow_redirects=choice("always", "never"))
TYPES = many(choice("card"), most=10)
MANDATE_DATA = params.Params(
    customer_acceptance=one(
        params.Params(
            type=choice("online", "offline", required=True),
            accepted_at=integer(),
            online=one(params.Params(ip_address=text(), user_agent=text())),
        )
    )
)

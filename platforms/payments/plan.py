"""The payment platform: one gateway, cards behind a wall, money in a double-entry ledger."""

from groundplan import (
    Alert,
    Autoscale,
    Board,
    Condition,
    Http,
    Job,
    Panel,
    Platform,
    Probes,
    Receivers,
    Service,
    Worker,
    counter,
    cpu,
    gauge,
    memory,
    python,
)
from groundplan.resources import (
    CertManager,
    IngressNginx,
    MailCatcher,
    NoBackup,
    ObjectStore,
    OpenTelemetryCollector,
    Postgres,
    PrometheusStack,
    Redis,
    Vault,
    Volume,
    WebhookCatcher,
    daily,
)
from groundplan.secrets import ed25519, keys, random, supplied

# A startup probe comes before the other two, in place of initial delays.
plan = Platform("payments", version="1.0.0", probes=Probes(liveness=20, readiness=15, failures=3))
ingress, gateway, services, internal, databases, monitoring, tracing, vaults, issuing = map(
    plan.namespace,
    ("ingress-nginx", "gateway", "services", "internal", "databases", "monitoring", "tracing", "vault", "cert-manager"),
)

small = cpu("100m", "200m") & memory("128Mi", "256Mi")
larger = cpu("150m", "300m") & memory("128Mi", "256Mi")
public = {"PUBLIC_URL": plan.url}
pool = gauge("db_pool_connections", "state")  # idle, used, limit
engine = cpu("100m", "500m") & memory("256Mi", "512Mi")

# What the architecture document reckoned with; `groundplan docs` lays it beside what the plan asks for.
for space, pods, each in (
    (ingress, 1, cpu("100m") & memory("90Mi")),
    (gateway, 2, small),
    (services, 6, small),
    (internal, 4, small),
    (databases, 2, cpu("100m") & memory("256Mi")),
    (monitoring, 1, cpu("500m") & memory("2Gi")),
    (vaults, 1, small),
):
    space.estimated(each, pods=pods)

# The engines, and a database for each service with an owner that migrates it.
after_data = daily(keep=14, at="04:00")  # whatever the databases hold encrypted is older than the keys kept then
postgres = databases.add(Postgres("postgres", version=15, storage="5Gi", backup=daily(keep=14), resources=engine))
redis = databases.add(Redis("redis", version=7, storage="5Gi", durable=True, backup=daily(keep=7), resources=engine))
vault = vaults.add(Vault("vault", version="1.15.4", storage="1Gi", backup=after_data, resources=small))
nodes = plan.namespace("node-exporter", privileged="it reads the memory, disks and network of the host")
prometheus = monitoring.add(PrometheusStack("prometheus", interval=30, retention="15d", node_exporter=nodes))
traces = plan.external("traces", https=443)  # who keeps them
collector = tracing.add(OpenTelemetryCollector("otel-collector", to=traces, resources=small))
auth_db = postgres.database("micro_auth", migrations="payments.auth.migrations")
merchant_db = postgres.database("micro_merchant", migrations="payments.merchant.migrations")
payment_db = postgres.database("micro_payment", migrations="payments.api.migrations")
card_db = postgres.database("micro_tokenization", migrations="payments.tokenization.migrations")
ledger = postgres.database("micro_transaction", migrations="payments.transaction.migrations")

# Secrets, and what lies outside.
signing_key = plan.secret("app/jwt-signing-key", ed25519(versions=2))  # auth alone signs; the others verify by JWKS
api_key_pepper = plan.secret("app/api-key-pepper", random(32))
card_keys = plan.secret("app/card-key-encryption-keys", keys(versions=2))
fingerprint_key = plan.secret("app/fingerprint-key", random(32))
smtp_account = plan.secret("app/smtp", supplied(local='{"username": "", "password": ""}'))
acquirer = plan.external("acquirer", https=443, stand_in=python("payments.acquirer"))
smtp = plan.external("smtp", tcp=587, stand_in=MailCatcher())
internet = plan.internet("webhook-targets", tcp=443, stand_in=WebhookCatcher())  # never private, link-local, cluster

# The services. Every path between them is one of the edges below.
api = gateway.add(
    Service(
        "api-gateway",
        python("payments.gateway"),
        http=Http(8080, expose=80),
        replicas=2,
        resources=small,
        exports=[counter("gateway_rate_limit_fallback_total")],
        env={"TRUSTED_PROXY_HOPS": "1"},  # the ingress alone says from where a request came
    )
)
auth = services.add(
    Service(
        "auth-service",
        python("payments.auth"),
        http=8001,
        grpc=50051,
        replicas=2,
        resources=small,
        env=public,
        exports=[pool],
    )
)
merchants = services.add(
    Service(
        "merchant-service",
        python("payments.merchant"),
        http=8002,
        replicas=2,
        resources=small,
        env=public,
        exports=[pool],
    )
)
payments = services.add(
    Service(
        "payment-api-service",
        python("payments.api"),
        http=8004,
        replicas=2,
        resources=larger,
        env={"CHECKOUT_URL": plan.url},
        exports=[
            pool,
            counter("payments_created_total", "currency", "livemode"),
            counter("payments_declined_total", "code", "livemode"),
            counter("payments_captured_minor_units_total", "currency", "livemode"),
            counter("payments_refunded_minor_units_total", "currency", "livemode"),
        ],
    )
)
deliveries = counter("webhook_deliveries_total", "outcome")  # delivered, pending (tried again later), given_up
sender = services.add(
    Worker("webhook-sender", python("payments.webhooks"), resources=small, exports=[pool, deliveries])
)
cards = internal.add(
    Service(
        "tokenization-service", python("payments.tokenization"), grpc=50052, replicas=2, resources=small, exports=[pool]
    )
)
transactions = internal.add(
    Service(
        "transaction-service", python("payments.transaction"), grpc=50053, replicas=2, resources=small, exports=[pool]
    )
)
reconcile = internal.add(Job("reconcile", python("payments.transaction.reconcile"), every="5m", resources=small))

# Edges: nothing else opens a path, grants a role or hands over a secret.
api.needs(
    auth.http,
    auth.grpc.methods("ValidateToken", "ValidateApiKey"),
    merchants.http,
    payments.http.named("PAYMENT_SERVICE_URL"),
    redis.keys("rate:").named("RATE_LIMIT_URL"),
)
auth.needs(
    auth_db.read_write(append_only=["audit"]),
    redis.keys("session:auth:"),
    signing_key,
    api_key_pepper,
    smtp,
    smtp_account,
)
merchants.needs(
    auth.grpc.methods("CheckPermission", "IssueApiKey", "ListApiKeys", "RollApiKey", "RevokeApiKey"),
    merchant_db.read_write(append_only=["audit"]),
    redis.keys("merchant:"),
    smtp,
    smtp_account,
)
payments.needs(
    auth.grpc.methods("ValidateToken", "ValidateApiKey"),
    cards.grpc.methods("Tokenize", "GetMetadata", "Delete"),
    transactions.grpc.methods("Authorize", "Capture", "Void", "Refund", "Get", "List", "GetBalance"),
    payment_db.read_write(append_only=["history", "balance_transaction", "outbox_event", "outbox_attempt"]),
    redis.keys("session:payment:"),
)
sender.needs(
    payment_db.read("outbox_event", "webhook_endpoint"),
    payment_db.read_write("outbox_delivery", "outbox_attempt", append_only=["outbox_attempt"]),
    internet,
)
cards.needs(card_db.read_write(append_only=["access"]), redis.keys("card:"), card_keys, fingerprint_key)
transactions.needs(
    cards.grpc.methods("Detokenize"),
    acquirer,
    ledger.write(append_only=["entry", "history"]),
    redis.keys("transaction:"),
)
reconcile.needs(ledger.read(), acquirer)

for program in plan.programs:
    program.needs(collector.spans())

controller = ingress.add(IngressNginx(version="1.11.5", node_ports=(30080, 30443)))
cert_manager = issuing.add(CertManager("cert-manager", email="operations@example.com"))
plan.entry(controller, {"/": api.http}, body="10Mi", timeout=30)

# What the business looks at, beside the boards and alerts that every platform has.
plan.watch(
    Board(
        "business",
        "payments / business",
        (
            (
                "Payments",
                (
                    Panel(
                        "Begun", {"{{currency}}": "sum by (currency) (rate(payments_created_total[5m]))"}, unit="ops"
                    ),
                    Panel("Declined", {"{{code}}": "sum by (code) (rate(payments_declined_total[5m]))"}, unit="ops"),
                ),
            ),
            (
                "Money, in minor units an hour",
                (
                    Panel(
                        "Captured",
                        {"{{currency}}": "sum by (currency) (increase(payments_captured_minor_units_total[1h]))"},
                    ),
                    Panel(
                        "Refunded",
                        {"{{currency}}": "sum by (currency) (increase(payments_refunded_minor_units_total[1h]))"},
                    ),
                ),
            ),
            (
                "Webhooks",
                (
                    Panel(
                        "Deliveries",
                        {"{{outcome}}": "sum by (outcome) (rate(webhook_deliveries_total[5m]))"},
                        unit="ops",
                    ),
                ),
            ),
        ),
    ),
    Alert(
        "ManyDeclines",
        (
            Condition(
                "sum(rate(payments_declined_total[15m])) / sum(rate(payments_created_total[15m]))",
                ">",
                0.3,
            ),
        ),
        "info",
        "{{ $value | humanizePercentage }} of the payments begun are declined",
        "one code, one merchant, one currency? Card testing shows as many small payments with stolen numbers",
        fires={'payments_created_total{currency="eur"}': "0+10x60", 'payments_declined_total{code="a"}': "0+4x60"},
        quiet={'payments_created_total{currency="eur"}': "0+10x60", 'payments_declined_total{code="a"}': "0+2x60"},
        lasts="10m",
    ),
    Alert(
        "WebhooksGivenUp",
        (Condition('increase(webhook_deliveries_total{outcome="given_up"}[1h])', ">", 0),),
        "info",
        "{{ $value | humanize }} webhook deliveries were given up in an hour",
        "the outbox says to which endpoint: tell that merchant, the events can be sent again",
        fires={'webhook_deliveries_total{outcome="given_up"}': "0x10 0+1x40"},
        quiet={'webhook_deliveries_total{outcome="given_up"}': "3x60"},
        lasts="0m",
    ),
)

plan.tells(python("payments.story"))
plan.verify(transactions, python("payments.transaction.trial_balance"))  # after a restore: every currency sums to 0

# Where it runs, and where what it runs from is committed.
plan.gitops("https://git.example.com/platform/payments.git", folder="platforms/payments/deploy")
local = plan.local(replicas=1)
registry = "registry.example.com"
development = plan.environment(
    "development",
    host="dev.pay.example.com",
    registry=registry,
    secrets=vault,
    replicas=1,
    storage="ephemeral",
    backups=NoBackup("test data, made anew by the story"),
)
staging = plan.environment(
    "staging",
    host="staging.pay.example.com",
    registry=registry,
    secrets=vault,
    certificates=cert_manager,
    sync="automated",
    backups=Volume("20Gi"),
)
for trial in (development, staging):
    trial.set(acquirer, host="sandbox.acquirer.example", cidrs=["192.0.2.0/25"])
    trial.set(smtp, host="sandbox.smtp.example", cidrs=["192.0.2.128/25"])
    trial.set(traces, host="sandbox.traces.example", cidrs=["198.51.100.0/24"])

production = plan.environment(
    "production",
    host="pay.example.com",
    registry=registry,
    secrets=vault,
    certificates=cert_manager,
    issuer="letsencrypt",
    sync="approved",
    revision="production",  # a protected branch: what is merged into it is approved
    availability_zones=3,
    backups=ObjectStore(
        "https://s3.example.com", bucket="payments-backups", region="eu-central-1", cidrs=["203.0.113.128/25"]
    ),
)
production.set(api, replicas=Autoscale(2, 10, cpu=70))
production.set(
    prometheus,
    tells=Receivers(
        mail="oncall@example.com",
        sender="alerts@pay.example.com",
        smarthost="smtp.example.com:587",
        user="alerts",
        password=plan.secret("alerts/smtp-password", supplied()),
        slack=plan.secret("alerts/slack-url", supplied()),
        webhook=plan.secret("alerts/webhook-url", supplied()),
        watchdog=plan.secret("alerts/watchdog-url", supplied()),
    ),
)
production.set(vault, replicas=3)  # one may be lost, with its node or its zone
production.set(postgres, storage="100Gi", resources=cpu("500m", "2") & memory("1Gi", "2Gi"))
production.set(acquirer, host="gateway.acquirer.example", cidrs=["203.0.113.0/24"])
production.set(smtp, host="smtp.example.com", cidrs=["198.51.100.0/24"])
production.set(traces, host="traces.example.com", cidrs=["192.0.2.0/24"])

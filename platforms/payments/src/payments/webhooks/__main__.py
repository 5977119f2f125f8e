"""``python -m payments.webhooks``."""

from groundplan_runtime import service
from payments.webhooks import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

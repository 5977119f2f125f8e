"""``python -m payments.api``."""

from groundplan_runtime import service
from payments.api import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

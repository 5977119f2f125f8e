"""`python -m payments.transaction`"""

from groundplan_runtime import service
from payments.transaction import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

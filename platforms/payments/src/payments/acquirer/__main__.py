"""`python -m payments.acquirer`"""

from groundplan_runtime import service
from payments.acquirer import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

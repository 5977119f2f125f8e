"""`python -m payments.tokenization`"""

from groundplan_runtime import service
from payments.tokenization import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

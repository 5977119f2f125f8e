"""``python -m payments.merchant``"""

from __future__ import annotations

from groundplan_runtime import service
from payments.merchant import app


def main() -> None:
    service.run(app.build)


if __name__ == "__main__":
    main()

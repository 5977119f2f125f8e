"""Customers' webhook listeners: ``python -m groundplan.standins.webhooks --http=HOST:PORT --data=DIR``.

Takes POST on any path and answers 200, or the status that the path asks for (``/status/500/anything``).
``GET /deliveries`` lists what came: headers with lower-case names, and the body as text.
"""

from __future__ import annotations

import datetime
import pathlib
import re

from groundplan.standins import arguments, shelf, web


class Catcher(web.Handler):
    def do_POST(self) -> None:
        sent = self.body()
        if sent is None:
            return
        body = sent.decode(errors="replace")
        wanted = re.match(r"/status/([2-5]\d\d)(/|$)", self.path)
        status = int(wanted[1]) if wanted else 200
        self.server.kept.add(
            {
                "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
                "summary": f"POST {self.path} → {status}",
                "path": self.path,
                "status": status,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body,
            }
        )
        self.answer(status, "text/plain", b"")


def main() -> None:
    given = arguments.parse(("http", "data"))
    folder = pathlib.Path(given.data)
    folder.mkdir(parents=True, exist_ok=True)
    kept = shelf.Shelf(folder / "deliveries.jsonl")
    web.serve(web.Server(given.http, kept, "deliveries", "Webhooks", Catcher))


if __name__ == "__main__":
    main()

"""What an author, or an operator, must put right; all of it at once."""

from __future__ import annotations


class MigrationError(Exception):
    """The files, the database or the grants do not fit."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(findings))

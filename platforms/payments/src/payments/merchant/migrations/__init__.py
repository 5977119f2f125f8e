"""The database of merchant-service, as numbered SQL files."""

"""The database of auth-service, as numbered SQL files."""

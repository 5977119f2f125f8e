"""The rows of auth-service, one module a noun; the only place with SQL."""

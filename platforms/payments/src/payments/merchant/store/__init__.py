"""The rows of merchant-service, one module a noun; the only place with SQL."""

"""The database of payment-api-service."""

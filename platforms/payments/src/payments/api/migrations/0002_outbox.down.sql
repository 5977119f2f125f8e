DROP TABLE outbox_attempt, outbox_delivery, outbox_event, webhook_endpoint;

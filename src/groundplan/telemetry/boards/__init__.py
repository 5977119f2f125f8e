"""What to look at: one module a subject, and how a board is written for Grafana."""

"""Webhook endpoints and the outbox."""

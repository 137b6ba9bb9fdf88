"""Webhooks, and the outbox of messages."""

"""Webhooks, and the outbox of what is to be delivered."""

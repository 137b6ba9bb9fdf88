"""Webhooks: who is told, and telling them."""

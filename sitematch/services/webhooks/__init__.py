"""Webhooks: managing them and delivering messages."""

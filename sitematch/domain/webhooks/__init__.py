"""Webhooks, and what they can be told."""

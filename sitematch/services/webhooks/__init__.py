"""Webhooks: who manages them, and delivering what is due."""

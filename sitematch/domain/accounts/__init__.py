"""Accounts, tokens, sessions, roles and permissions."""

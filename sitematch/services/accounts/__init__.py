"""Accounts, tokens and sign-in; each call is allowed or denied first."""

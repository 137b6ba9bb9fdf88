"""Accounts, tokens and sign-in, each allowed or denied before anything else happens."""

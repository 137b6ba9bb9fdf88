"""Accounts, tokens and sign-in; each call checks permissions first."""

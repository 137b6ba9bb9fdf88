"""Prove the set-up on a bare Debian: `python -m tools.bare`, as root."""

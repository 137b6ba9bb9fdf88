"""Notifying other systems: signed messages by HTTP POST. Opens sockets, but uses no database."""

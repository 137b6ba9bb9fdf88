"""Telling other systems: signed messages by HTTP POST. Opens sockets; knows no database."""

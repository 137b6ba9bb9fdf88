"""The command line: one module a group of commands; click reads the words, the services do the work."""

from sitematch.cli.main import main

__all__ = ["main"]

"""The command line: one module per group of commands; click parses the arguments, the services do the work."""

from sitematch.cli.main import main

__all__ = ["main"]

"""Lighthouse for the pages; `make lighthouse`."""

"""The catalogue: look-up, import, sync, placing."""

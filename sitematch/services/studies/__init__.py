"""The catalogue: reading, search, import, sync, giving sites their coordinates."""

"""Output formats for people and systems."""

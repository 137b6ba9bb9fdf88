"""Commands that report: ``report`` and its kinds, ``allocate``."""

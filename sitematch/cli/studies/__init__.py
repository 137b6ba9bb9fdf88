"""Commands about studies: ``import``, ``sync``, ``studies``, ``export``."""

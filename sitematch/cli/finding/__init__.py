"""Commands that find sites: ``match``, ``locate``, ``sites``."""

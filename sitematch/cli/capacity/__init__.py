"""Commands about spots: ``capacity``, ``referral``, ``waiting``, ``ledger``."""

"""The capacity ledger: writes under one lock, counting, the feed, the waiting list."""

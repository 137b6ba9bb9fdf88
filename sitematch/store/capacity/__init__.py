"""The ledger of spots: writes under one lock, counting, the feed, the waiting list."""

"""The recorded history: verifying the hash chain, events by site and referral, open time, and a copy of the ledger."""

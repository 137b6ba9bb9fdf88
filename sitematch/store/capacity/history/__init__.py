"""What the ledger recorded: the hash chain checked, events by site and referral, open time, a copy of it all."""

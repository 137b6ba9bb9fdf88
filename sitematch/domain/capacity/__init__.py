"""Spots: caps, referrals, attempts, what is taken and left."""

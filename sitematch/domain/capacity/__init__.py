"""Spots: caps, referrals, attempts, and the numbers taken and left."""

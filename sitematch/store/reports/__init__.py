"""What reports keep: demand counts."""

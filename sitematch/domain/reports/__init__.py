"""Rules for allocation, coverage and demand."""

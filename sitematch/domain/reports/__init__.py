"""Rules of allocation, coverage and demand."""

"""The rules of allocation, coverage and demand."""

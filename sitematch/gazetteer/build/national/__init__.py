"""What national posts and mapping agencies know of their own codes: one country a file."""

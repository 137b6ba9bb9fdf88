"""CSV and Excel tables as they come in: ours and other people's."""

"""Reading CSV and Excel tables: our own and other people's."""

"""Pure values and rules: places, units, and what each subject knows without a database."""

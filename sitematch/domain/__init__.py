"""Pure values and rules: places, units, and the rules of each subject that need no database."""

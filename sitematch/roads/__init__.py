"""Roads without a map of roads: where land and people are, and what road and minutes follow from it."""

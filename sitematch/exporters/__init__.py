"""From answers to the formats that people and systems read."""

"""From answers to the forms that people and systems read: JSON, GeoJSON, CSV and a table for the terminal."""

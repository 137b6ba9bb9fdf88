"""Postcodes and town names to places: grammar per country, the compiled file, its build, and geopy's interface."""

"""Places from postcodes and town names: grammar per country, the compiled file, its build, and geopy's interface."""

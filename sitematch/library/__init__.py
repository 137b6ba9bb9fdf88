"""The library in one import: `sitematch.open`, `match` and `locate`, and results for notebooks and data frames."""

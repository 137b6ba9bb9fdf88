"""From a postcode in any country to a clinical trial's recruiting sites, ranked, with reasons."""

__version__ = "0.1.0"

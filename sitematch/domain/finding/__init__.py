"""From a place to ranked matches with their reasons."""

"""Redocly's and Spectral's judgement of the OpenAPI document."""

"""Measurements and proofs that take longer than a test should; each module is one command."""

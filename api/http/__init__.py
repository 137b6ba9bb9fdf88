"""What every route shares: reading, answers, negotiation, problems, headers, OpenAPI and its page."""

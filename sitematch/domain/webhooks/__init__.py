"""What webhooks tell."""

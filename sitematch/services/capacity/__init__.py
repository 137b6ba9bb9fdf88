"""What coordinators do with spots; each call is allowed or denied first."""

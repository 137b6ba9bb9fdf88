"""What coordinators do with spots: every read and write, authorised first."""

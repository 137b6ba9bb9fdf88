"""Reports: read what they need, authorised first, and work them out."""

"""Sign-in to the console, its session cookie, and who may see a page."""

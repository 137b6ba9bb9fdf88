"""Reading files of unknown origin in a separate process, which can fail without harm."""

"""Reading files of unknown origin in a process of their own, which may break without harm."""

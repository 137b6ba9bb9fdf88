"""Programs that write committed data files; not part of the installed package."""

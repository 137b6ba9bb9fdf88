"""From a source to studies and sites: one source or format a file."""

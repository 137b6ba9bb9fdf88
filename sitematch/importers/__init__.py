"""From a source's form to studies and sites: one source or format a file."""

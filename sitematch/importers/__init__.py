"""Reading studies and sites from sources: one module per source or format."""

"""Tables: terminal, CSV, Excel and NDJSON, from one set of columns."""

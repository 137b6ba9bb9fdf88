"""The model of drive times: fitted, and judged on pairs that it has not seen."""

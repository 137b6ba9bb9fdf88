"""``make bench``: every comparison with what people use instead, one after the other."""

from __future__ import annotations

import subprocess
import sys

COMPARISONS = (
    "benchmarks.match",
    "benchmarks.gazetteer_speed",
    "benchmarks.http",
    "benchmarks.importing",
    "benchmarks.catalogue",
    "benchmarks.reports",
    "benchmarks.ledger_growth",
    "benchmarks.many",
)


def main() -> int:
    """Run each comparison in a process of its own, so that none warms or burdens the next."""
    failed = [name for name in COMPARISONS if subprocess.run([sys.executable, "-m", name], check=False).returncode]
    for name in failed:
        print(f"{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

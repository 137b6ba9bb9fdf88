"""``python -m sitematch.gazetteer.build --out FILE``: build the gazetteer without the rest of the program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sitematch.errors import DataFault, SitematchError
from sitematch.gazetteer.build import build
from sitematch.gazetteer.build.sources import DEFAULT_DIRECTORY


def main(arguments: list[str] | None = None) -> int:
    """Build the file; 0 if it was built, 1 with a message if not."""
    parser = argparse.ArgumentParser(prog="python -m sitematch.gazetteer.build", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the SQLite file to write")
    parser.add_argument(
        "--sources",
        type=Path,
        action="append",
        help=f"directory with the unpacked source packages (default {DEFAULT_DIRECTORY}); may be repeated",
    )
    chosen = parser.parse_args(arguments)
    try:
        build(chosen.out, directories=chosen.sources or (DEFAULT_DIRECTORY,))
    except SitematchError as error:
        print(error.message, file=sys.stderr)
        for fault in error.faults if isinstance(error, DataFault) else ():
            print(f"  {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

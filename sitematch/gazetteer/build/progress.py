"""What a long build says while it runs: one line a step, on standard error, with the seconds it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
"""Takes one line without its newline."""


def to_stderr(line: str) -> None:
    """Write one line to standard error."""
    print(line, file=sys.stderr, flush=True)


def no_progress(line: str) -> None:
    """Drop the line: for a caller that wants no progress."""


@contextmanager
def step(say: Say, what: str) -> Iterator[None]:
    """Say what was done and how many seconds it took, once the block has ended without an error.

    Parameters
    ----------
    say
        Where the line goes.
    what
        What the block does, e.g. ``"read GeoNames postal codes"``.
    """
    began_s = time.perf_counter()
    yield
    say(f"{what} ({time.perf_counter() - began_s:.1f} s)")

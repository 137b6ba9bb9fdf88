"""Where a command's file goes: to stdout, or to a file that is there only when it is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sitematch.errors import InvalidInput


@contextmanager
def open_output(out: Path | None) -> Iterator[IO[bytes]]:
    """Open where to write.

    Parameters
    ----------
    out
        The file; None is stdout.

    Yields
    ------
    IO of bytes
        What is written to a file appears under its name at the end, and after an error not at all: an older file of
        that name then stays as it was.

    Raises
    ------
    InvalidInput
        If the file cannot be written there.
    """
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        file = part.open("xb")
    except OSError as error:
        raise InvalidInput(f"Cannot write {out}: {error.strerror}.", field="out") from error
    try:
        with file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)

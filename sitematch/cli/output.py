"""Output of a command: to stdout, or to a file that appears only when it is complete."""

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
    """Open the output.

    Parameters
    ----------
    out
        The file; None is stdout.

    Yields
    ------
    IO of bytes
        A file appears under its name at the end. After an error it does not appear, and an older file of that name
        stays unchanged.

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
        # What is exported is for its owner alone, whatever the umask.
        file = os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
    except OSError as error:
        raise InvalidInput(f"Cannot write {out}: {error.strerror}.", field="out") from error
    try:
        with file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)

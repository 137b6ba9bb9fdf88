"""Opening the files that people name."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from sitematch.errors import InvalidInput


def open_file(path: Path, wanted: str) -> IO[bytes]:
    """Open a file to read.

    Parameters
    ----------
    path
        The file.
    wanted
        What kind of file the message asks for, e.g. ``"a CSV file"``.

    Raises
    ------
    InvalidInput
        If it is missing or cannot be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {path}: name {wanted}.", field="source") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InvalidInput(f"{path} cannot be read as a file: {error.strerror}.", field="source") from error

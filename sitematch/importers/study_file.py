"""The default study's file: JSON with the fields of `sitematch.domain.studies.study.Study`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sitematch.domain.studies.study import Study
from sitematch.errors import DataFault, Fault, NotReady


def read_study(path: Path) -> Study:
    """Read a study from its JSON file.

    Parameters
    ----------
    path
        The file, UTF-8.

    Raises
    ------
    NotReady
        If there is no such file.
    DataFault
        If it is not JSON, or a field is missing, unknown or has the wrong type.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotReady(f"There is no study file at {path}: restore it from the sitematch package.") from error
    try:
        return msgspec.json.decode(content, type=Study)
    except msgspec.DecodeError as error:
        fault = Fault(line=0, field="", value="", reason=str(error))
        raise DataFault(f"{path.name} is not a valid study file: {error}", faults=[fault]) from error

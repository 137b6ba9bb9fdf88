"""The whole catalogue as lossless NDJSON, which `sitematch.importers.catalogue` reads back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

import msgspec

from sitematch.domain.studies.record import CATALOGUE_FORMAT
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study


def write_catalogue(file: IO[bytes], studies: Iterable[tuple[Study, Sequence[Site]]]) -> tuple[int, int]:
    """Write studies with their sites, one study per line, with constant memory.

    Parameters
    ----------
    file
        The output; it stays open.
    studies
        In the order to keep; read once.

    Returns
    -------
    tuple of int
        The numbers of studies and sites written.

    Notes
    -----
    The first line names the format. The last one has the count of the lines between, so that an incomplete file is
    recognised.
    """
    encoder = msgspec.json.Encoder()
    file.write(encoder.encode({"format": CATALOGUE_FORMAT}) + b"\n")
    study_count = site_count = 0
    for study, sites in studies:
        file.write(encoder.encode({"study": study, "sites": sites}) + b"\n")
        study_count, site_count = study_count + 1, site_count + len(sites)
    file.write(encoder.encode({"studies": study_count, "sites": site_count}) + b"\n")
    return study_count, site_count

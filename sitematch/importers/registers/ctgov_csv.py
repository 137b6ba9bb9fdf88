"""The CSV download of ClinicalTrials.gov's website: one study a row, its locations in one cell.

Fields: https://clinicaltrials.gov/data-api/about-api/csv-download. The cell holds "facility, city, state, zip, country"
for each location, with bars between them; parts that are missing are left out, and names hold commas too. So the parts
are found from the end, with what a country calls its postcodes and regions. The file states no status of a location.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault
from sitematch.importers.ctgov import parse_study
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.tables.raw_rows import csv_rows

_LOCATIONS = "locations"
_SEX = {"ALL": "ALL", "FEMALE": "FEMALE", "MALE": "MALE"}
_AGES = re.compile(r"(\d+ \w+) to (\d+ \w+)|(\d+ \w+) and older|up to (\d+ \w+)", re.IGNORECASE)
_DESIGN = re.compile(r"(Allocation|Intervention Model|Masking): ([^|]*)")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What is known of addresses.

    Parameters
    ----------
    is_country
        Whether a text is a country's name.
    is_postcode
        Whether a text can be a postcode of a country.
    is_region
        Whether a text is a region of a country.
    """

    is_country: Callable[[str], bool]
    is_postcode: Callable[[str, str], bool]
    is_region: Callable[[str, str], bool]


def read_file(
    path: Path, read_on: date, grammar: Grammar, *, limits: FileLimits = NO_LIMITS
) -> Iterator[StudyRecord | Fault]:
    """Read the studies of a download; see `sitematch.importers.ctgov.read_file`.

    Raises
    ------
    InvalidInput, DataFault
        See `sitematch.importers.tables.raw_rows.read_rows`.
    """
    rows = csv_rows(path, limits=limits)
    _, header = next(rows)
    names = [column.strip().lower() for column in header]
    for number, cells in rows:
        row = dict(zip(names, cells, strict=False))
        where = f"{path.name}, row {number}"
        record = parse_study(_of_row(row, grammar), read_on, where=where)
        if isinstance(record, Fault) or _LOCATIONS in names:
            yield record
        else:
            yield _without_places(record)


def _without_places(record: StudyRecord) -> StudyRecord:
    told = "The file has no column of locations, so the sites of the study stay as they are."
    return replace(record, lists_sites=False, notices=(*record.notices, told))


def _of_row(row: Mapping[str, str], grammar: Grammar) -> dict[str, Any]:
    design = dict(_DESIGN.findall(row.get("study design", "")))
    lowest, highest = _ages(row.get("age", ""))
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": row.get("nct number", ""),
                "briefTitle": row.get("study title", ""),
                "acronym": row.get("acronym", ""),
                "secondaryIdInfos": [{"id": text} for text in _parts(row.get("other ids", ""))],
            },
            "statusModule": {
                "overallStatus": row.get("study status", ""),
                "lastUpdatePostDateStruct": {"date": row.get("last update posted", "")},
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": row.get("sponsor", "")}},
            "descriptionModule": {"briefSummary": row.get("brief summary", "")},
            "conditionsModule": {"conditions": _parts(row.get("conditions", ""))},
            "designModule": {
                "studyType": row.get("study type", ""),
                "phases": _parts(row.get("phases", "")),
                "designInfo": {
                    "allocation": design.get("Allocation", "").strip(),
                    "interventionModel": design.get("Intervention Model", "").strip(),
                    "maskingInfo": {"masking": design.get("Masking", "").partition("(")[0].strip()},
                },
            },
            "armsInterventionsModule": {
                "interventions": [
                    {"name": text.partition(": ")[2] or text} for text in _parts(row.get("interventions", ""))
                ]
            },
            "eligibilityModule": {
                "sex": _SEX.get(row.get("sex", "").upper(), ""),
                "minimumAge": lowest,
                "maximumAge": highest,
            },
            "contactsLocationsModule": {
                "locations": [split_location(text, grammar) for text in _parts(row.get(_LOCATIONS, ""))]
            },
        }
    }


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _ages(text: str) -> tuple[str, str]:
    """Read ``"18 Years to 65 Years   (Adult, Older Adult)"``."""
    found = _AGES.search(text)
    if found is None:
        return "", ""
    return found[1] or found[3] or "", found[2] or found[4] or ""


def split_location(text: str, grammar: Grammar) -> dict[str, str] | str:
    """Split "facility, city, state, zip, country", of which facility, state and zip may be missing.

    Parameters
    ----------
    text
        One location.
    grammar
        What is known of addresses.

    Returns
    -------
    dict or str
        In the API's names; the text itself if it ends with no known country. It is then reported, and may be any site.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    # "Korea, Republic of" and "Congo, The Democratic Republic of the": the longest name at the end that is known.
    count = next((n for n in (3, 2, 1) if len(parts) >= n and grammar.is_country(", ".join(parts[-n:]))), 0)
    if not count:
        return text
    country, parts = ", ".join(parts[-count:]), parts[:-count]
    found = {"country": country}
    if len(parts) > 1 and any(map(str.isdigit, parts[-1])) and grammar.is_postcode(parts[-1], country):
        found["zip"] = parts.pop()
    # A city alone is more likely than a region alone, and "Facility, Singapore" more likely than a city and its region.
    if len(parts) > 2 and grammar.is_region(parts[-1], country):
        found["state"] = parts.pop()
    if parts:
        found["city"] = parts.pop()
    return found | {"facility": ", ".join(parts)}

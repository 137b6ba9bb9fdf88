"""Statistics Canada's points of forward sortation areas: they judge, and are not otherwise used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.judging import Held
from sitematch.gazetteer.build.sources import CANADA


def read_areas(path: Path) -> Held:
    """Read pypostalcode's database: a point in each area's shape.

    Parameters
    ----------
    path
        Its SQLite file.

    Raises
    ------
    DataFault
        If it is not of that form.
    """
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute("SELECT fsa, latitude, longitude FROM PostalCodes ORDER BY fsa").fetchall()
    except sqlite3.DatabaseError as error:
        raise DataFault("Canada's areas cannot be read.", faults=(Fault(0, "", "", str(error)),)) from error
    finally:
        connection.close()
    return Held(source=CANADA.id, points={row[0]: (float(row[1]), float(row[2])) for row in rows}, uses="")

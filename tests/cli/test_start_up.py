"""Heavy libraries stay out of the start of the command and of the server."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "pandas", "scipy", "sklearn", "shapely", "alembic", "geopy", "pyarrow", "matplotlib", "typst", "openpyxl"
}  # fmt: skip


@pytest.mark.parametrize(
    "module", ["sitematch.cli", "sitematch.services.finding.finder", "sitematch.services.setup", "api.app"]
)
def test_starting_imports_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    # The pages speak by Babel's catalogues; the command line does not.
    unwanted = HEAVY if module == "api.app" else HEAVY | {"babel"}
    assert not unwanted & set(done.stdout.split())


def test_help_needs_no_numpy_and_no_database() -> None:
    code = "import sys, sitematch.cli; print(*{name.partition('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"numpy", "pyproj", "sqlalchemy", "flask", "rich"} & set(done.stdout.split())

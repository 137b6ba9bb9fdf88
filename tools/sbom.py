"""Write what the program is made of: a CycloneDX SBOM and a list of licences, of one environment.

Run as ``python -m tools.sbom ENVIRONMENT FOLDER``; ``make sbom`` makes an environment of requirements/run.txt for it.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(python: str, folder: Path) -> None:
    """Write ``sbom.cdx.json`` and ``licences.csv``.

    Parameters
    ----------
    python
        The interpreter of the environment.
    folder
        Where to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sbom = folder / "sbom.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--spec-version", "1.6"]
    subprocess.run([*command, "--output-file", str(sbom), python], check=True)
    components = json.loads(sbom.read_text("utf-8"))["components"]
    rows = sorted((part["name"], part["version"], licences_of(part)) for part in components)
    with (folder / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "version", "licences"))
        writer.writerows(rows)
    sys.stdout.write(f"{len(rows)} components: {sbom}, {folder / 'licences.csv'}\n")


def licences_of(component: dict[str, Any]) -> str:
    """Return the licences of a component, as SPDX ids or expressions where they are known."""
    found = []
    for entry in component.get("licenses", ()):
        licence = entry.get("license", {})
        found.append(entry.get("expression") or licence.get("id") or licence.get("name", ""))
    # Some packages put the whole text there; its first line names it.
    return "; ".join(dict.fromkeys(text.strip().partition("\n")[0][:100] for text in found if text.strip()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

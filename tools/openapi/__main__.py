"""Let Redocly and Spectral judge the OpenAPI document: ``python -m tools.openapi``. Errors and warnings fail."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from api.app import create_app
from sitematch.config import Settings, data_file
from tools.node import get_node

FOLDER = Path(__file__).resolve().parent
# They must not look for updates or report that they were used.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def write_document(into: Path) -> Path:
    """Write the document as a server would send it.

    Parameters
    ----------
    into
        An empty folder; the app has its home there.
    """
    settings = Settings(
        home=into,
        database_url=f"sqlite:///{into / 'sitematch.db'}",
        gazetteer_path=data_file("gazetteer.sqlite"),
        notices_every_s=0.0,
    )
    document = into / "openapi.json"
    document.write_bytes(create_app(settings).test_client().get("/openapi.json").data)
    return document


def judge() -> int:
    """Run both; return the exit code."""
    node = get_node()
    node.install(FOLDER)
    programs = FOLDER / "node_modules"
    with tempfile.TemporaryDirectory() as folder:
        document = write_document(Path(folder))
        commands = (
            [programs / "@redocly/cli/bin/cli.js", "lint", document, "--config", FOLDER / "redocly.yaml"],
            [
                programs / "@stoplight/spectral-cli/dist/index.js",
                "lint",
                document,
                "--ruleset",
                FOLDER / "spectral.yaml",
            ],
        )
        codes = [
            subprocess.run(
                [node.node, *map(str, command), *more], env={**node.environment(), **_QUIET}, check=False
            ).returncode
            for command, more in zip(commands, (["--max-problems=1000"], ["--fail-severity=warn"]), strict=True)
        ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(judge())

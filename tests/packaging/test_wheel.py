"""The wheel carries all that the command needs: it answers from an empty folder, far from any checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_installed_wheel_answers_and_serves_its_pages(tmp_path: Path, gazetteer_path: Path) -> None:
    assert gazetteer_path.exists()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels, target, elsewhere = tmp_path / "wheels", tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SITEMATCH_")} | {
        "PYTHONPATH": str(target),
        "SITEMATCH_HOME": str(tmp_path / "home"),
    }

    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ROOT], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    code = (
        f"import api.app, sitematch.cli; assert {str(target)!r} in sitematch.cli.__file__;"
        "client = api.app.create_app().test_client(); page = client.get('/?lang=de').text;"
        "assert 'Eine Klinik in Ihrer Nähe finden' in page, 'the translations are missing';"
        "assert '/static/built/site-' in page, 'the style is missing';"
        "assert client.get('/embed.js').status_code == 200;"
        "sitematch.cli.main(['match', '33180', '--country', 'US', '--format', 'csv'])"
    )
    subprocess.run(
        [sys.executable, "-c", "from sitematch.cli import main; main(['db', 'upgrade'])"],
        env=environment, cwd=elsewhere, check=True, capture_output=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=elsewhere, check=True, capture_output=True, text=True
    )

    assert "Aventura" in done.stdout

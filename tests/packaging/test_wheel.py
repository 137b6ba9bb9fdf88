"""A wheel built in isolation carries all that the command needs: it answers from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

NOT_COPIED = (".git", ".venv", "node_modules", "build", "var", "dist", "built", "*.mo", "__pycache__", ".*_cache")


def copy_without_pages(folder: Path) -> Path:
    """Copy the checkout with its gazetteer, which takes minutes to build, and without all else that is built."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    # The build of the gazetteer lies in a folder that is called so too.
    source = Path("sitematch") / "gazetteer" / "build"
    shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_installed_wheel_answers_and_serves_its_pages(tmp_path: Path, gazetteer_path: Path) -> None:
    assert gazetteer_path.exists()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels, target, elsewhere = tmp_path / "wheels", tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SITEMATCH_")} | {
        "PYTHONPATH": str(target),
        "SITEMATCH_HOME": str(tmp_path / "home"),
    }

    checkout = copy_without_pages(tmp_path / "checkout")
    # No node on the path: the pages are built with the one that [build-system] asks for. The package index is asked,
    # as everywhere where `pip install .` is run.
    bare_path = tmp_path / "path"
    bare_path.mkdir()
    for name in ("sh", "env"):
        (bare_path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    subprocess.run(
        [*pip, "wheel", "--no-deps", "-w", wheels, checkout],
        env=os.environ | {"PATH": str(bare_path)}, check=True,
    )  # fmt: skip
    assert (checkout / "api" / "static" / "built" / "manifest.json").exists()
    assert not (checkout / "build" / "node").exists()
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

"""A wheel built in isolation contains everything that the command needs: it works from an empty folder."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT

STARTS_WITHIN_S = 120.0
NOT_COPIED = (".git", ".venv", "node_modules", "build", "var", "dist", "built", "*.mo", "__pycache__", ".*_cache")


def copy_without_pages(folder: Path) -> Path:
    """Copy the checkout with its gazetteer, which takes minutes to build, and without all else that is built."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    # The build of the gazetteer is in a folder with this name too.
    source = Path("sitematch") / "gazetteer" / "build"
    shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, gazetteer_path: Path) -> Path:
    """Build the wheel, and return the folder that it was installed into."""
    assert gazetteer_path.exists()
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels, target = folder / "wheels", folder / "target"
    checkout = copy_without_pages(folder / "checkout")
    # No node on the path: the pages are built with the one that [build-system] asks for. The package index is asked,
    # as everywhere where `pip install .` is run.
    bare_path = folder / "path"
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
    return target


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("SITEMATCH_")}
    return ours | {"PYTHONPATH": str(installed), "SITEMATCH_HOME": str(tmp_path / "home")}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder, with another package called api."""
    folder = tmp_path / "elsewhere"
    (folder / "api").mkdir(parents=True)
    (folder / "api" / "__init__.py").write_text("raise ImportError('the wrong api')\n")
    return folder


def sitematch(installed: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(installed / "bin" / "sitematch"), *arguments]


def test_the_installed_wheel_adds_one_package_and_none_called_api(installed: Path) -> None:
    added = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}

    assert added == {"sitematch", "bin"}
    assert not list(installed.rglob("frontend")), "the sources of what is built are of no use there"


def test_the_installed_command_matches(installed: Path, environment: dict[str, str], elsewhere: Path) -> None:
    match = sitematch(installed, "match", "33180", "--country", "US", "--format", "csv")

    done = subprocess.run(match, env=environment, cwd=elsewhere, check=True, capture_output=True, text=True)

    assert "Aventura" in done.stdout


def test_the_installed_command_serves_its_pages(installed: Path, environment: dict[str, str], elsewhere: Path) -> None:
    with serving(installed, environment, elsewhere) as port:
        page = get(port, "/?lang=de")
        script = get(port, "/embed.js")

    assert "Eine Klinik in Ihrer Nähe finden" in page, "the translations are missing"
    assert "/static/built/site-" in page, "the style is missing"
    assert script


@contextmanager
def serving(installed: Path, environment: Mapping[str, str], folder: Path) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as out:
        command = sitematch(installed, "serve", "--create", "--port", str(port))
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out)
    try:
        wait_until_up(server, port, log)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < give_up_s and server.poll() is None:
        try:
            get(port, "/readyz")
        except (OSError, AssertionError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')}")


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    assert response.status == 200, body
    return body

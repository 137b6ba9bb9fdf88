"""Common fixtures: sockets can reach only loopback, and the real gazetteer and sites are opened once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from pytest_socket import socket_allow_hosts
from werkzeug.test import TestResponse

from sitematch.config import data_file
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.study_file import read_study
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.roads.tiles import LandTiles
from sitematch.services.finding.finder import Finder
from sitematch.services.journey.estimating import ModelEstimator

ROOT = Path(__file__).parent.parent


class ClosingClient(FlaskClient):
    """A test client that reads every answer to its end, as browsers do, so that no file stays open behind one."""

    def open(self, *args: Any, **how: Any) -> TestResponse:
        return super().open(*args, **how | {"buffered": True})


Flask.test_client_class = ClosingClient

# No test asserts a duration, because a busy machine is not an error of the program.
settings.register_profile("sitematch", deadline=None)
settings.load_profile("sitematch")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def gazetteer_path() -> Path:
    """The real compiled gazetteer; `make test` builds it, and without it the tests fail instead of skipping."""
    path = data_file("gazetteer.sqlite")
    assert path.exists(), f"{path} is missing: run `make test`, or `sitematch gazetteer build`"
    return path


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return Gazetteer.open(gazetteer_path)


@pytest.fixture(scope="session")
def finder(gazetteer: Gazetteer) -> Finder:
    """The default study with its stand-in sites, as a fresh install has them."""
    path = data_file("roads.sqlite")
    assert path.exists(), f"{path} is missing: run `make test`, or `sitematch gazetteer roads`"
    sites = read_sites(data_file("sites.csv")).sites
    travel = ModelEstimator(LandTiles(path))
    return Finder(gazetteer, read_study(data_file("study.json")), sites, travel=travel)

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sitematch.services.finding.finder import Finder
from tests.api.builders import fill_database, make_app, make_finder, make_gazetteer
from tests.api.served_study import ServedStudy


@pytest.fixture(scope="session")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")


@pytest.fixture(scope="session")
def finder(gazetteer: Path) -> Finder:
    return make_finder(gazetteer)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the study and its sites, to be copied."""
    home = tmp_path_factory.mktemp("database")
    fill_database(home)
    return home / "sitematch.db"


@pytest.fixture
def app(tmp_path: Path, finder: Finder, database: Path) -> Flask:
    shutil.copy(database, tmp_path)
    return make_app(tmp_path, finder)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def service(tmp_path: Path, finder: Finder) -> Iterator[ServedStudy]:
    opened = ServedStudy(tmp_path, finder)
    yield opened
    opened.close()

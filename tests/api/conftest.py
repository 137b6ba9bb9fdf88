from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sitematch.services.finder import Finder
from sitematch.store import migrate
from sitematch.store.catalogue import replace_study
from sitematch.store.engine import open_store
from tests.api.builders import SITES, make_app, make_finder, make_gazetteer, make_study
from tests.api.office import Office


@pytest.fixture(scope="session")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")


@pytest.fixture(scope="session")
def finder(gazetteer: Path) -> Finder:
    return make_finder(gazetteer)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the study of `finder`, to be copied."""
    path = tmp_path_factory.mktemp("database") / "sitematch.db"
    with open_store(f"sqlite:///{path}", require_ready=False) as store:
        migrate.upgrade(store)
        replace_study(store, make_study(), SITES)
    return path


@pytest.fixture
def app(tmp_path: Path, finder: Finder, database: Path) -> Flask:
    shutil.copy(database, tmp_path / "sitematch.db")
    return make_app(tmp_path, finder)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def office(tmp_path: Path, finder: Finder) -> Iterator[Office]:
    opened = Office(tmp_path, finder)
    yield opened
    opened.close()

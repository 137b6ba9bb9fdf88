from __future__ import annotations

from pathlib import Path

import pytest

from sitematch.config import data_file
from sitematch.gazetteer.locate import Gazetteer
from tests.gazetteer.builders import build_gazetteer


@pytest.fixture(scope="session")
def gazetteer_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_gazetteer(tmp_path_factory.mktemp("gazetteer") / "gazetteer.sqlite")


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return Gazetteer.open(gazetteer_path)


@pytest.fixture(scope="session")
def real_gazetteer() -> Gazetteer:
    """The compiled file: `make test` builds it, and without it the tests fail instead of skipping."""
    return Gazetteer.open(data_file("gazetteer.sqlite"))

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from api import backend
from api.app import create_app
from tests.api.builders import SITES, STUDY_ID, fill_database, make_gazetteer, make_settings


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_RETRY_S", 0.0)


def test_service_starts_without_its_data_says_so_and_recovers_when_they_are_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(make_settings(tmp_path)).test_client()

    without_gazetteer = client.get("/readyz")
    make_gazetteer(tmp_path / "gazetteer.sqlite")
    without_database = client.get("/readyz")
    fill_database(tmp_path)
    ready = client.get("/readyz")

    for response in (without_gazetteer, without_database):
        assert response.status_code == 503
        assert response.json["type"] == "/problems/not-ready"
        assert int(response.headers["Retry-After"]) >= 1
        assert str(tmp_path) not in response.text
    assert "gazetteer build" in caplog.text
    assert "db upgrade" in caplog.text
    assert ready.json == {"status": "ready", "study_id": STUDY_ID, "sites": len(SITES), "late": []}
    assert client.post("/v1/matches", json={"postcode": "33180", "country": "US"}).status_code == 200


def test_unknown_study_is_not_ready(tmp_path: Path) -> None:
    make_gazetteer(tmp_path / "gazetteer.sqlite")
    fill_database(tmp_path)

    client = create_app(make_settings(tmp_path, study_id="NCT99999999")).test_client()

    assert client.get("/readyz").status_code == 503


def test_process_that_cannot_answer_look_ups_is_alive_and_shows_its_page(tmp_path: Path) -> None:
    client = create_app(make_settings(tmp_path)).test_client()

    assert client.get("/healthz").json == {"status": "ok"}
    assert "There is a problem with the service" in client.get("/").text
    assert client.get("/openapi.json").status_code == 200
    for response in (
        client.post("/v1/matches", json={"postcode": "33180", "country": "US"}),
        client.get("/v1/sites"),
        client.get("/v1/postcodes/US/33180"),
        client.post("/", data={"place": "33180"}),
    ):
        assert response.status_code == 503
        assert response.headers["Retry-After"]


def test_what_is_missing_is_logged_once_not_at_every_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = create_app(make_settings(tmp_path)).test_client()

    for _ in range(5):
        client.get("/readyz")

    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1


def test_service_whose_numbers_are_no_longer_read_is_not_ready_and_says_why(tmp_path: Path) -> None:
    make_gazetteer(tmp_path / "gazetteer.sqlite")
    fill_database(tmp_path)
    app = create_app(make_settings(tmp_path))
    client = app.test_client()
    before = client.get("/readyz").status_code

    app.extensions["sitematch"].live().feed.task.stop()  # as if its thread had died
    after = client.get("/readyz")

    assert before == 200
    assert after.status_code == 503
    assert "spots left have not been read" in after.json["detail"]
    assert client.get("/healthz").status_code == 200


def test_late_background_task_is_named_while_look_ups_go_on(tmp_path: Path) -> None:
    make_gazetteer(tmp_path / "gazetteer.sqlite")
    fill_database(tmp_path)
    app = create_app(make_settings(tmp_path, notices_every_s=3600.0))
    client = app.test_client()
    client.get("/readyz")

    for task in app.extensions["sitematch"].tasks._tasks:
        if task.name == "webhooks":
            task.stop()

    assert client.get("/readyz").json["late"] == ["webhooks"]

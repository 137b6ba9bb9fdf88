"""What Prometheus reads of the server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from sitematch.metrics import forget_ended
from sitematch.services.finding.finder import Finder
from tests.api.builders import STUDY_ID, make_app, make_gazetteer
from tests.api.served_study import ServedStudy

TOKEN = "a-token-that-is-long-enough"


@pytest.fixture
def measured(tmp_path: Path, finder: Finder, database: Path) -> Iterator[Flask]:
    shutil.copy(database, tmp_path)
    app = make_app(tmp_path, finder, metrics_token=TOKEN)
    yield app
    app.extensions["sitematch"].tasks.stop()


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(client: FlaskClient) -> Samples:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"sitematch_{name}", frozenset(labels.items())]


def test_requests_are_counted_by_route_and_never_by_address(measured: Flask) -> None:
    client = measured.test_client()
    client.get("/v1/postcodes/US/33180")
    client.get("/v1/postcodes/DE/10115")
    client.get("/33180")

    found = read(client)

    route = "/v1/postcodes/<country>/<code>"
    assert of(found, "requests_total", method="GET", route=route, status="200") == 2
    assert of(found, "requests_total", method="GET", route="(no route)", status="404") == 1
    assert of(found, "request_duration_seconds_count", method="GET", route=route) == 2
    assert not any("33180" in value for _, labels in found for _, value in labels)


def test_database_feed_and_tasks_are_shown(measured: Flask) -> None:
    found = read(measured.test_client())

    looked_at = of(found, "feed_success_timestamp_seconds")
    assert looked_at > 1_700_000_000
    assert of(found, "task_late", task="capacity feed") == 0
    assert of(found, "task_success_timestamp_seconds", task="capacity feed") == pytest.approx(looked_at, abs=60)
    assert of(found, "database_connections", state="in use") >= 0
    assert of(found, "writes_under_way") == 0
    assert of(found, "writes_refused_total") == 0
    assert {of(found, "deliveries", state=state) for state in ("due", "waiting", "given up")} == {0}


def test_referrals_and_spots_left_are_shown_by_study(tmp_path: Path, finder: Finder) -> None:
    service = ServedStudy(tmp_path, finder, metrics_token=TOKEN)
    try:
        service.hold("r-1")
        service.hold("r-2")
        service.move("r-2", "screening")
        service.app.extensions["sitematch"].live().feed.look()

        found = read(service.app.test_client())

        assert of(found, "referrals", study=STUDY_ID, state="held") == 1
        assert of(found, "referrals", study=STUDY_ID, state="screening") == 1
        assert of(found, "spots_left", study=STUDY_ID) == 8 - 2
    finally:
        service.close()


@pytest.mark.parametrize("given", ["", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ä"])
def test_metrics_need_the_token(measured: Flask, given: str) -> None:
    assert measured.test_client().get("/metrics", headers={"Authorization": given}).status_code == 401


def test_without_a_token_there_are_no_metrics(client: FlaskClient) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_metrics_answer_when_the_database_is_missing(tmp_path: Path) -> None:
    make_gazetteer(tmp_path / "gazetteer.sqlite")
    from api.app import create_app
    from tests.api.builders import make_settings

    app = create_app(make_settings(tmp_path, metrics_token=TOKEN))
    try:
        assert any(name == "sitematch_info" for name, _ in read(app.test_client()))
    finally:
        app.extensions["sitematch"].tasks.stop()


def test_how_an_ended_process_stood_is_forgotten_and_what_it_counted_is_kept(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"gauge_livesum_{ended.pid}.db", f"counter_{ended.pid}.db", f"gauge_livesum_{os.getpid()}.db"]
    for name in names:
        (tmp_path / name).touch()

    forget_ended(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names[1:])

"""Routers over loopback: asked in their own protocol, checked, retried once, left alone when broken, and never public unasked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sitematch.domain.journey.estimate import Interval, Journey, Method, Way
from sitematch.domain.place import Coordinates, Place
from sitematch.errors import InvalidInput
from sitematch.roads.routers import OPEN_AFTER, REST_S, Route, Router, RouterKind, RouterSilent
from sitematch.services.journey.routed import RoutedEstimator
from tests.builders import make_place

HERE = Coordinates(latitude=60.17, longitude=24.94)
ENDS = [(Coordinates(latitude=60.2, longitude=25.0), 5.0), (Coordinates(latitude=60.4, longitude=25.1), 27.0)]


class Served:
    """What a router answers, and what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.status = 200
        self.failures = 0
        self.asked: list[tuple[str, str]] = []


@contextmanager
def served(answer: Any) -> Iterator[tuple[Served, str]]:
    state = Served(answer)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            state.asked.append((self.path, self.rfile.read(length).decode()))
            if state.failures:
                state.failures -= 1
                self.close_connection = True
                return
            content = state.answer if isinstance(state.answer, bytes) else json.dumps(state.answer).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 - http.server's own names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def osrm(seconds: list[float | None], metres: list[float | None]) -> dict[str, Any]:
    return {"code": "Ok", "durations": [[0, *seconds]], "distances": [[0, *metres]]}


def test_osrm_is_asked_for_a_table_and_answers_in_seconds_and_metres() -> None:
    with served(osrm([600, 1800], [7000, 33000])) as (state, url):
        found = Router(RouterKind.OSRM, url).routes(HERE, ENDS)

    assert found == [Route(minutes=10, km=7), Route(minutes=30, km=33)]
    path, _ = state.asked[0]
    assert path.startswith("/table/v1/driving/24.94000,60.17000;25.00000,60.20000;25.10000,60.40000?sources=0")


def test_valhalla_is_asked_for_a_matrix_and_answers_in_seconds_and_kilometres() -> None:
    answer = {"sources_to_targets": [[{"time": 600, "distance": 7.0}, {"time": None, "distance": None}]]}
    with served(answer) as (state, url):
        found = Router(RouterKind.VALHALLA, f"{url}/maps/").routes(HERE, ENDS)

    assert found == [Route(minutes=10, km=7), None]
    path, body = state.asked[0]
    assert path == "/maps/sources_to_targets"
    assert json.loads(body)["sources"] == [{"lat": 60.17, "lon": 24.94}]


@pytest.mark.parametrize(
    ("seconds", "metres"),
    [(-1, 33000), (float("nan"), 33000), (float("inf"), 33000), (30, 33000), (1800, 100), (9e9, 33000), (None, 1)],
)
def test_what_cannot_be_is_no_route(seconds: float | None, metres: float) -> None:
    with served(osrm([600, seconds], [7000, metres])) as (_, url):
        found = Router(RouterKind.OSRM, url).routes(HERE, ENDS)

    assert found == [Route(minutes=10, km=7), None]


@pytest.mark.parametrize(
    "answer", [osrm([600], [7000]), osrm([600, 1, 2], [1, 2, 3]), {}, [], b"no JSON", {"durations": None}]
)
def test_an_answer_in_another_form_is_no_answer(answer: Any) -> None:
    with served(answer) as (state, url), pytest.raises(RouterSilent):
        Router(RouterKind.OSRM, url).routes(HERE, ENDS)

    assert len(state.asked) == 2


def test_one_failure_is_tried_again() -> None:
    with served(osrm([600, 1800], [7000, 33000])) as (state, url):
        state.failures = 1
        found = Router(RouterKind.OSRM, url).routes(HERE, ENDS)

    assert found[0] == Route(minutes=10, km=7)
    assert len(state.asked) == 2


def test_a_broken_router_is_left_alone_for_a_while() -> None:
    now = 100.0
    with served(osrm([600, 1800], [7000, 33000])) as (state, url):
        router = Router(RouterKind.OSRM, url, seconds=lambda: now)
        state.status = 500
        for _ in range(OPEN_AFTER + 2):
            with pytest.raises(RouterSilent):
                router.routes(HERE, ENDS)
        assert len(state.asked) == 2 * OPEN_AFTER

        state.status = 200
        now += REST_S
        assert router.routes(HERE, ENDS)[0] is not None


def test_a_fault_does_not_tell_where_the_person_is() -> None:
    with served(b"60.17") as (_, url), pytest.raises(RouterSilent) as caught:
        Router(RouterKind.OSRM, url).routes(HERE, ENDS)

    assert "60" not in str(caught.value)


def test_a_public_router_needs_leave() -> None:
    router = Router(RouterKind.OSRM, "http://8.8.8.8:9")

    with pytest.raises(RouterSilent):
        router.routes(HERE, ENDS)


@pytest.mark.parametrize("url", ["", "ftp://10.0.0.1", "http://", "http://user@10.0.0.1", "http://10.0.0.1:99999"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        Router(RouterKind.OSRM, url)


class Model:
    """A model that always says an hour."""

    def journeys(self, _place: Place, ends: Any, /) -> list[Journey]:
        minutes, km = Interval(60, 55, 66, 45, 80), Interval(40, 39, 42, 36, 46)
        return [Journey(way=Way.ROAD, minutes=minutes, road_km=km, method=Method.MODEL) for _ in ends]


def test_the_model_answers_for_what_the_router_does_not_know_and_says_so() -> None:
    ends = [(make_place(60.2, 25.0), 5.0), (make_place(60.4, 25.1), 27.0)]
    with served(osrm([600, None], [7000, None])) as (state, url):
        estimator = RoutedEstimator(Router(RouterKind.OSRM, url), Model())
        first, second = estimator.journeys(make_place(60.17, 24.94), ends)
        state.status = 503
        down = estimator.journeys(make_place(60.17, 24.94), ends)

    assert (first.method, first.minutes and first.minutes.best) == (Method.ROUTER, 10)
    assert (second.method, second.minutes and second.minutes.best) == (Method.MODEL_INSTEAD, 60)
    assert [one.method for one in down] == [Method.MODEL_INSTEAD] * 2
    assert first.minutes is not None
    bounds = (first.minutes.low_90, first.minutes.low_50, 10, first.minutes.high_50, first.minutes.high_90)
    assert list(bounds) == sorted(bounds)

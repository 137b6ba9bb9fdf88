"""The online geocoder, with a real HTTP server on loopback."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from geopy.adapters import RequestsAdapter, URLLibAdapter
from geopy.geocoders import Nominatim, Photon

from sitematch.domain.place import Precision
from sitematch.errors import InvalidPostcode, OnlineUnavailable, TownNotFound
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.online import DEFAULT_UNCERTAINTY_KM, OnlineGeocoder

CHARITE = {
    "lat": "52.5263", "lon": "13.3768", "display_name": "Charité, Charitéplatz 1, 10117 Berlin, Deutschland",
    "boundingbox": ["52.5260", "52.5266", "13.3760", "13.3776"],
}  # fmt: skip


@dataclass
class Service:
    """The answers of the test's geocoding service, and the requests to it."""

    domain: str = ""
    status: int = 200
    answer: object = field(default_factory=lambda: [CHARITE])
    delay_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(parse_qs(urlsplit(self.path).query)["q"][0])
            state.asked_at.append(time.monotonic())
            if state.delay_s:
                state.released.wait(state.delay_s)
            body = json.dumps(state.answer).encode()
            try:
                self.send_response(state.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                # The client gave up, as one test expects.
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.domain = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def rung(service: Service, **limits: object) -> OnlineGeocoder:
    options = {"domain": service.domain, "scheme": "http", "user_agent": "sitematch tests"}
    return OnlineGeocoder.from_service("nominatim", options, **{"name": "a test service", "min_delay_s": 0.0, **limits})


def test_an_address_is_located_with_a_note_that_it_was_sent(service: Service, gazetteer_path: Path) -> None:
    gazetteer = Gazetteer.open(gazetteer_path, online=rung(service))

    place = gazetteer.locate("Charitéplatz 1", "DE")

    assert (place.coordinates.latitude, place.coordinates.longitude) == (52.5263, 13.3768)
    assert place.precision is Precision.ADDRESS
    assert place.uncertainty_km < 0.1
    assert (place.source, place.country) == ("a test service", "DE")
    assert "We sent it to a test service" in place.notes[0]
    assert service.asked == ["Charitéplatz 1, Germany"]


def test_by_default_nothing_is_asked(service: Service, gazetteer: Gazetteer) -> None:
    with pytest.raises(InvalidPostcode):
        gazetteer.locate("Charitéplatz 1", "DE")

    assert service.asked == []


@pytest.mark.parametrize("text", ["33180", "33180 Miami", "Springfield, IL"])
def test_what_the_gazetteer_can_place_is_never_sent(service: Service, gazetteer_path: Path, text: str) -> None:
    gazetteer = Gazetteer.open(gazetteer_path, online=rung(service))

    assert gazetteer.locate(text, "US").source == "A test source"
    assert service.asked == []


@pytest.mark.parametrize("text", ["4102", "99999", "", "1"])
def test_a_bare_code_is_never_sent_even_if_it_is_wrong(service: Service, gazetteer_path: Path, text: str) -> None:
    gazetteer = Gazetteer.open(gazetteer_path, online=rung(service))

    with pytest.raises((InvalidPostcode, LookupError)):
        gazetteer.locate(text, "US")

    assert service.asked == []


def test_an_answer_is_remembered(service: Service) -> None:
    online = rung(service)

    first = online.locate("Charitéplatz  1", "DE")
    second = online.locate(" Charitéplatz 1", "DE")

    assert first == second
    assert len(service.asked) == 1


def test_nothing_is_remembered_beyond_the_cache(service: Service) -> None:
    online = rung(service, cache_size=0)

    online.locate("Charitéplatz 1")
    online.locate("Charitéplatz 1")

    assert len(service.asked) == 2


def test_a_place_that_the_service_does_not_know_keeps_the_first_error(service: Service, gazetteer_path: Path) -> None:
    service.answer = []
    gazetteer = Gazetteer.open(gazetteer_path, online=rung(service))

    with pytest.raises(TownNotFound):
        gazetteer.locate("Xyzzyville", "US")

    assert service.asked == ["Xyzzyville, United States"]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_failing_service_is_named_beside_the_first_error(service: Service, gazetteer_path: Path, status: int) -> None:
    service.status = status
    gazetteer = Gazetteer.open(gazetteer_path, online=rung(service))

    with pytest.raises(TownNotFound) as caught:
        gazetteer.locate("Xyzzyville", "US")

    assert len(service.asked) == 1, "a failing service is not asked again"
    if status != 400:  # which means that the service did not understand the text
        assert "a test service did not answer" in caught.value.message


def test_a_failure_is_not_remembered(service: Service) -> None:
    online = rung(service)
    service.status = 503
    with pytest.raises(OnlineUnavailable):
        online.locate("Charitéplatz 1")
    service.status = 200

    assert online.locate("Charitéplatz 1") is not None


@pytest.mark.filterwarnings("ignore:Latitude normalization")
@pytest.mark.parametrize("answer", ["not a list", [{"lat": "x", "lon": "0", "display_name": ""}], [{"lat": "91", "lon": "0", "display_name": ""}]])  # fmt: skip
def test_nonsense_is_unavailable_and_never_a_place(service: Service, answer: object) -> None:
    service.answer = answer

    with pytest.raises(OnlineUnavailable):
        rung(service).locate("Charitéplatz 1")


def test_a_slow_service_is_given_up(service: Service) -> None:
    service.delay_s = 20
    online = rung(service, timeout_s=0.2)

    with pytest.raises(OnlineUnavailable, match="GeocoderTimedOut"):
        online.locate("Charitéplatz 1")

    assert not service.released.is_set(), "given up while the service was still thinking"


def test_a_service_that_is_not_there_is_unavailable() -> None:
    online = OnlineGeocoder(Photon(domain="127.0.0.1:9", scheme="http"), name="nobody", timeout_s=1, min_delay_s=0)

    with pytest.raises(OnlineUnavailable, match="nobody did not answer"):
        online.locate("Charitéplatz 1")


def test_questions_keep_their_distance(service: Service) -> None:
    online = rung(service, min_delay_s=0.15)

    for street in ("Aweg", "Bweg", "Cweg"):
        online.locate(street)

    gaps = [after - before for before, after in zip(service.asked_at, service.asked_at[1:], strict=False)]
    assert min(gaps) > 0.1


def test_too_many_waiting_questions_are_refused_at_once(service: Service) -> None:
    service.delay_s = 20
    online = rung(service, max_waiting=1, timeout_s=15)
    first = threading.Thread(target=online.locate, args=("Charitéplatz 1",))
    first.start()
    deadline = time.monotonic() + 10
    while not service.asked and time.monotonic() < deadline:
        time.sleep(0.01)

    with pytest.raises(OnlineUnavailable, match="Too many questions"):
        online.locate("Unter den Linden 77")

    service.released.set()
    first.join()
    assert service.asked == ["Charitéplatz 1"]


@pytest.mark.parametrize("adapter", [URLLibAdapter, RequestsAdapter])
def test_what_was_typed_is_not_logged(
    service: Service, caplog: pytest.LogCaptureFixture, adapter: Callable[..., object]
) -> None:
    geocoder = Nominatim(domain=service.domain, scheme="http", user_agent="tests", adapter_factory=adapter)
    online = OnlineGeocoder(geocoder, name="a test service", min_delay_s=0)
    service.status = 500
    caplog.handler.setLevel(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)

    with pytest.raises(OnlineUnavailable) as caught:
        online.locate("Geheimgasse 7")

    assert "Geheimgasse" not in caplog.text
    assert "Geheimgasse" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_answer_without_extent_says_the_default_uncertainty(service: Service) -> None:
    service.answer = [{**CHARITE, "boundingbox": None}]

    place = rung(service).locate("Charitéplatz 1")

    assert place is not None
    assert place.uncertainty_km == DEFAULT_UNCERTAINTY_KM


def test_a_wide_extent_is_not_an_address(service: Service) -> None:
    service.answer = [{**CHARITE, "boundingbox": ["52.3", "52.7", "13.0", "13.8"]}]

    place = rung(service).locate("Berlin somewhere")

    assert place is not None
    assert place.precision is Precision.LOCALITY
    assert 25 < place.uncertainty_km < 50


def test_any_geopy_service_can_be_configured_by_name(service: Service) -> None:
    service.answer = {
        "type": "FeatureCollection",
        "features": [{
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [13.3768, 52.5263]},
            "properties": {"name": "Charité", "extent": [13.376, 52.5266, 13.3776, 52.526]},
        }],
    }  # fmt: skip
    online = OnlineGeocoder.from_service("photon", {"domain": service.domain, "scheme": "http"}, min_delay_s=0.0)

    place = online.locate("Charitéplatz 1", "DE")

    assert online.name == f"photon at {service.domain}"
    assert place is not None
    assert place.uncertainty_km < 0.1


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(ValueError, match="nonesuch"):
        OnlineGeocoder.from_service("nonesuch", {})

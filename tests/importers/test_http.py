"""The client of ClinicalTrials.gov's API against a real server on loopback: pages, pace, retries, going on."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from sitematch.errors import InvalidInput, OnlineUnavailable, StudyNotFound
from sitematch.importers.http import CtgovClient, RequestManners, download, questions_for
from tests.importers.records import make_record
from tests.importers.registry_server import FakeRegistry, running_registry

TEN = [make_record(nct_id=f"NCT0000000{n}") for n in range(10)]
PAGES_OF_THREE = [{"pageSize": "3"}]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with running_registry() as running:
        running.put(*TEN)
        yield running


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now_s += seconds

    def read(self) -> float:
        return self.now_s


def make_client(
    registry: FakeRegistry, clock: Clock | None = None, said: list[str] | None = None, **manners: Any
) -> CtgovClient:
    clock = clock or Clock()
    said = [] if said is None else said
    return CtgovClient(
        registry.url,
        manners=RequestManners(**({"interval_s": 0.0, "back_off_s": 1.0, "timeout_s": 5.0} | manners)),
        say=said.append,
        sleep=clock.sleep,
        monotonic_s=clock.read,
    )


def ids(records: Any) -> list[str]:
    return [record["protocolSection"]["identificationModule"]["nctId"] for record in records]


def test_one_study_is_fetched_and_the_client_names_itself(registry: FakeRegistry) -> None:
    study = make_client(registry).study("NCT00000003")

    assert ids([study]) == ["NCT00000003"]
    assert registry.agents[0].startswith("sitematch/")


def test_an_unknown_study_is_not_found_and_not_asked_again(registry: FakeRegistry) -> None:
    with pytest.raises(StudyNotFound, match="NCT99999999"):
        make_client(registry).study("NCT99999999")

    assert len(registry.requests) == 1


def test_all_pages_come_in_order_and_leave_no_file(registry: FakeRegistry, tmp_path: Path) -> None:
    counts: list[int] = []

    found = list(download(make_client(registry), PAGES_OF_THREE, tmp_path / "down" / "x.ndjson", counts.append))

    assert ids(found) == ids(TEN)
    assert counts == [3, 6, 9, 10]
    assert list((tmp_path / "down").iterdir()) == []


@pytest.mark.parametrize(
    "trouble", ["drop", "truncate", "not json", (503, {}), (429, {"Retry-After": "7"}), (500, {}), (502, {})]
)
def test_a_passing_fault_is_waited_out(registry: FakeRegistry, trouble: Any) -> None:
    registry.troubles = [trouble, trouble]
    clock, said = Clock(), list[str]()

    found, _ = make_client(registry, clock, said).page({})

    assert len(found) == 10
    assert clock.slept == ([7.0, 7.0] if isinstance(trouble, tuple) and trouble[1] else [1.0, 2.0])
    assert len(said) == 2


def test_a_lasting_fault_ends_after_the_last_try_and_says_what_to_do(registry: FakeRegistry) -> None:
    registry.troubles = [(503, {})] * 4

    with pytest.raises(OnlineUnavailable, match="continues where it stopped"):
        make_client(registry, tries=4).page({})

    assert len(registry.requests) == 4


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    client = CtgovClient(
        "http://127.0.0.1:9/api/v2", manners=RequestManners(tries=2, interval_s=0), sleep=Clock().sleep
    )

    with pytest.raises(OnlineUnavailable, match="could not be reached"):
        client.study("NCT00000001")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x", "clinicaltrials.gov"])
def test_only_web_addresses_are_asked(address: str) -> None:
    with pytest.raises(InvalidInput, match="must start with http or https"):
        CtgovClient(address)


PACKED = {"Content-Encoding": "gzip"}
A_MEGABYTE = b" " * (1 << 20)


@pytest.mark.parametrize(
    ("headers", "parts"),
    [
        (PACKED, [gzip.compress(A_MEGABYTE) * 40]),
        (PACKED, repeat(gzip.compress(A_MEGABYTE))),
        ({}, repeat(A_MEGABYTE)),
        ({"Content-Length": str(1 << 40)}, repeat(A_MEGABYTE)),
    ],
    ids=["small and packed", "endless and packed", "endless", "a terabyte"],
)
def test_an_answer_that_is_too_large_is_given_up_and_not_asked_for_again(
    registry: FakeRegistry, headers: dict[str, str], parts: Iterable[bytes]
) -> None:
    registry.bodies = [(headers, parts)]

    with pytest.raises(OnlineUnavailable, match="larger than 30 MB"):
        make_client(registry, answer_bytes=30 << 20).page({})

    assert len(registry.requests) == 1


def test_an_answer_that_never_ends_is_given_up_when_its_time_is_over(registry: FakeRegistry) -> None:
    clock = Clock()

    def dripping() -> Iterator[bytes]:
        while True:
            clock.now_s += 10.0  # of the client's own clock, so that nobody waits
            yield b" "

    registry.bodies = [({}, dripping())]

    with pytest.raises(OnlineUnavailable, match="not complete after 60 seconds"):
        make_client(registry, clock, answer_s=60.0).page({})


@pytest.mark.parametrize(
    "parts", [[gzip.compress(b'{"stud'), gzip.compress(b'ies": []}')], [gzip.compress(b'{"studies": []}')]]
)
def test_a_packed_answer_of_any_number_of_parts_is_read(registry: FakeRegistry, parts: list[bytes]) -> None:
    registry.bodies = [(PACKED, parts)]

    assert make_client(registry).page({}) == ([], None)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b'{"studies": []}')[:-9], b"no gzip", b"", gzip.compress(b"[" * 200_000)],
    ids=["cut off", "not packed", "empty", "nested too deeply"],
)
def test_a_packed_answer_that_is_damaged_is_asked_for_again(registry: FakeRegistry, body: bytes) -> None:
    registry.bodies = [(PACKED, [body])]

    assert len(make_client(registry).page({})[0]) == 10
    assert len(registry.requests) == 2


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.2:9/api", "https://example.org/", "http://127.0.0.1:9/x"])
def test_an_answer_that_leads_to_another_server_is_not_followed(registry: FakeRegistry, elsewhere: str) -> None:
    registry.troubles = [(302, {"Location": elsewhere})]

    with pytest.raises(OnlineUnavailable, match="leads to another server"):
        make_client(registry).page({})

    assert len(registry.requests) == 1


@pytest.mark.parametrize(
    ("elsewhere", "words"), [("file:///etc/passwd", "answered 302"), ("ftp://127.0.0.1/x", "leads to another server")]
)
def test_an_answer_that_leads_to_what_is_no_web_address_is_not_followed(
    registry: FakeRegistry, elsewhere: str, words: str
) -> None:
    registry.troubles = [(302, {"Location": elsewhere})]

    with pytest.raises(OnlineUnavailable, match=words):
        make_client(registry).page({})


def test_an_answer_that_leads_on_is_followed_three_times_and_no_more(registry: FakeRegistry) -> None:
    here = registry.url + "/studies?step="
    registry.troubles = [(302, {"Location": f"{here}{step}"}) for step in range(3)]
    found, _ = make_client(registry).page({})
    registry.troubles = [(302, {"Location": f"{here}{step}"}) for step in range(9)]
    registry.requests.clear()

    with pytest.raises(OnlineUnavailable, match="more than 3 times"):
        make_client(registry).page({})

    assert len(found) == 10
    assert len(registry.requests) == 4


def test_requests_keep_their_distance(registry: FakeRegistry, tmp_path: Path) -> None:
    clock = Clock()

    list(download(make_client(registry, clock, interval_s=1.25), PAGES_OF_THREE, tmp_path / "x"))

    assert clock.slept == [1.25, 1.25, 1.25]


def test_a_download_that_broke_off_goes_on_where_it_stopped(registry: FakeRegistry, tmp_path: Path) -> None:
    into = tmp_path / "x.ndjson"
    calls: list[int] = []

    def stop_after_two(count: int) -> None:
        calls.append(count)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(download(make_client(registry), PAGES_OF_THREE, into, stop_after_two))
    into.write_bytes(into.read_bytes() + b'{"half a record')
    asked_before = len(registry.requests)
    found = list(download(make_client(registry), PAGES_OF_THREE, into))

    assert ids(found) == ids(TEN)
    assert [request.partition("pageToken=")[2] for request in registry.requests[asked_before:]] == ["6", "9"]
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_died_meanwhile_starts_its_question_again(registry: FakeRegistry, tmp_path: Path) -> None:
    into = tmp_path / "x.ndjson"
    registry.troubles = []

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(download(make_client(registry), PAGES_OF_THREE, into, stop))
    registry.dead_tokens = {"3"}
    with pytest.raises(InvalidInput):
        make_client(registry).page({"pageSize": "3"}, "3")
    registry.dead_tokens = set()
    registry.troubles = [(400, {})]
    found = list(download(make_client(registry), PAGES_OF_THREE, into))

    assert ids(found) == ids(TEN)


def test_another_question_does_not_take_up_what_an_earlier_one_left(registry: FakeRegistry, tmp_path: Path) -> None:
    into = tmp_path / "x.ndjson"

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(download(make_client(registry), PAGES_OF_THREE, into, stop))
    found = list(download(make_client(registry), [{"filter.ids": "NCT00000007"}], into))

    assert ids(found) == ["NCT00000007"]


def test_many_ids_are_asked_in_parts(registry: FakeRegistry, tmp_path: Path) -> None:
    asked = questions_for([f"NCT{n:08d}" for n in range(250)])

    found = list(download(make_client(registry), asked, tmp_path / "x"))

    assert len(asked) == len(registry.requests) == 3
    assert ids(found) == ids(TEN)


def test_what_does_not_speak_the_api_is_said_to_be_so(registry: FakeRegistry) -> None:
    registry.url = registry.url.removesuffix("/api/v2")

    with pytest.raises(OnlineUnavailable, match="Check the address"):
        make_client(registry).page({})

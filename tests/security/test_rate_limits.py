"""Limits on requests: for each client address, token and account, and only trusted proxies are believed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.rate_limits import rate_kind
from sitematch.config import Settings
from sitematch.errors import InvalidInput, NotReady
from sitematch.rates import RateKind
from sitematch.services.finding.finder import Finder
from tests.api.builders import make_app
from tests.api.served_study import ServedStudy

MIAMI = {"postcode": "33180", "country": "US"}
PROXY = "192.0.2.1"
FEW = dict.fromkeys(RateKind, "2/hour")

MakeApp = Callable[..., Flask]


@pytest.fixture
def make(tmp_path: Path, finder: Finder, database: Path) -> MakeApp:
    shutil.copy(database, tmp_path)

    def build(**changes: Any) -> Flask:
        return make_app(tmp_path, finder, **{"rates": FEW, **changes})

    return build


def look_up(app: Flask, address: str, **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post("/v1/matches", json=MIAMI, headers=sent, environ_base={"REMOTE_ADDR": address})


def test_third_look_up_of_an_address_is_refused_with_a_problem_and_when_to_come_back(make: MakeApp) -> None:
    app = make()

    answers = [look_up(app, "198.51.100.7") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    problem = json.loads(answers[2].data)
    assert answers[2].content_type == "application/problem+json"
    assert problem["type"] == "/problems/too-many-requests"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
    assert answers[0].headers["RateLimit-Policy"] == '"lookups";q=2;w=3600'
    assert answers[0].headers["RateLimit"].startswith('"lookups";r=1;t=')
    assert answers[2].headers["RateLimit"].startswith('"lookups";r=0;t=')


def test_another_address_and_another_kind_of_request_are_counted_apart(make: MakeApp) -> None:
    app = make()
    for _ in range(3):
        look_up(app, "198.51.100.7")

    assert look_up(app, "198.51.100.8").status_code == 200
    sign_in = app.test_client().post("/console/sign-in", environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert sign_in.status_code != 429


@pytest.mark.parametrize(
    ("first", "second", "is_one_client"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
    ],
)
def test_an_ipv6_client_is_its_network(make: MakeApp, first: str, second: str, is_one_client: bool) -> None:
    app = make(rates={**FEW, RateKind.LOOKUPS: "1/hour"})

    look_up(app, first)

    assert (look_up(app, second).status_code == 429) is is_one_client


def test_the_address_that_a_trusted_proxy_names_is_counted(make: MakeApp) -> None:
    app = make(trusted_proxies=(f"{PROXY}/32",))
    for _ in range(3):
        look_up(app, PROXY, X_Forwarded_For="198.51.100.7")

    assert look_up(app, PROXY, X_Forwarded_For="198.51.100.7").status_code == 429
    assert look_up(app, PROXY, X_Forwarded_For="198.51.100.8").status_code == 200


def test_a_client_cannot_choose_its_address(make: MakeApp) -> None:
    app = make(trusted_proxies=(f"{PROXY}/32",))
    for number in range(3):
        look_up(app, PROXY, X_Forwarded_For=f"203.0.113.{number}, 198.51.100.7")  # the proxy adds what it saw
        look_up(app, "198.51.100.9", X_Forwarded_For=f"203.0.113.{number}")  # this one is no proxy

    assert look_up(app, PROXY, X_Forwarded_For="203.0.113.99, 198.51.100.7").status_code == 429
    assert look_up(app, "198.51.100.9", X_Forwarded_For="203.0.113.99").status_code == 429


def test_people_behind_a_proxy_that_names_nobody_are_not_locked_out_together(
    make: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make(trusted_proxies=(f"{PROXY}/32",))

    answers = [look_up(app, PROXY, X_Forwarded_Proto="https") for _ in range(4)]

    assert {answer.status_code for answer in answers} == {200}
    assert caplog.text.count("sends no X-Forwarded-For") == 1


def test_a_token_is_counted_whatever_address_it_comes_from(tmp_path: Path, finder: Finder) -> None:
    service = ServedStudy(tmp_path, finder, rates=FEW)
    try:
        answers = []
        for number in range(3):
            headers = {"Authorization": f"Bearer {service.secrets['viewer']}"}
            answers.append(
                service.client.get(
                    "/v1/reports/capacity", headers=headers, environ_base={"REMOTE_ADDR": f"198.51.100.{number}"}
                )
            )
        for answer in answers:
            service.check("GET", "/v1/reports/capacity", answer)

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["RateLimit-Policy"] == '"reports";q=2;w=3600'
    finally:
        service.close()


def test_health_is_never_limited(make: MakeApp) -> None:
    client = make().test_client()

    answers = [client.get("/healthz", environ_base={"REMOTE_ADDR": "198.51.100.7"}) for _ in range(4)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_limits_can_be_switched_off_one_by_one_and_all_together(make: MakeApp) -> None:
    one = make(rates={**FEW, RateKind.LOOKUPS: ""})
    none = make(rate_limits=False)

    for app in (one, none):
        assert {look_up(app, "198.51.100.7").status_code for _ in range(4)} == {200}


def test_requests_go_on_if_the_counts_cannot_be_stored(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from limits.storage import MemoryStorage

    def fail(*_: object, **__: object) -> None:
        raise OSError

    app = make()
    monkeypatch.setattr(MemoryStorage, "acquire_sliding_window_entry", fail)

    assert {look_up(app, "198.51.100.7").status_code for _ in range(4)} == {200}


def test_document_names_the_limit_of_every_route_that_has_one(make: MakeApp) -> None:
    paths = make().test_client().get("/openapi.json").json["paths"]  # type: ignore[index]

    for path, operations in paths.items():
        for operation in operations.values():
            is_limited = "too-many-requests" in operation["responses"].get("429", {}).get("description", "")
            assert is_limited is not path.startswith(
                ("/healthz", "/readyz", "/openapi", "/problems", "/docs", "/preferences")
            ), path


@pytest.mark.parametrize(
    ("endpoint", "rule", "method", "is_pdf", "kind"),
    [
        ("console.begin_session", "/console/sign-in", "POST", False, RateKind.SIGN_INS),
        ("console.sign_in", "/console/sign-in", "GET", False, RateKind.LOOKUPS),
        ("console.report", "/console/reports/<kind>", "GET", True, RateKind.PDFS),
        ("console.report", "/console/reports/<kind>", "GET", False, RateKind.REPORTS),
        ("allocations.post", "/v1/allocations", "POST", False, RateKind.REPORTS),
        ("console.hold_spot", "/console/hold/spot", "POST", False, RateKind.WRITES),
        ("referrals.hold", "/v1/referrals", "POST", False, RateKind.WRITES),
        ("static", "/static/<path:filename>", "GET", False, None),
    ],
)
def test_each_request_has_the_limit_of_its_kind(
    endpoint: str, rule: str, method: str, is_pdf: bool, kind: RateKind | None
) -> None:
    assert rate_kind(endpoint, rule, method, None, is_pdf=is_pdf) is kind


@pytest.mark.parametrize(
    ("text", "rate"),
    [("", "600/1 minute"), ("0", ""), ("5/second", "5/1 second"), ("30 per 5 Minutes", "30/5 minute")],
)
def test_rates_are_read(text: str, rate: str) -> None:
    found = Settings.from_mapping({"SITEMATCH_LIMIT_LOOKUPS": text}).rates[RateKind.LOOKUPS]

    from limits import parse

    assert (found == rate == "") or parse(found) == parse(rate)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SITEMATCH_LIMIT_LOOKUPS", "many"),
        ("SITEMATCH_LIMIT_PDFS", "0/minute"),
        ("SITEMATCH_LIMIT_WRITES", "5/fortnight"),
        ("SITEMATCH_TRUSTED_PROXIES", "proxy.example.org"),
        ("SITEMATCH_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SITEMATCH_LIMITS_STORAGE", "mongodb://localhost"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping({name: text})

    assert refused.value.field == name


def test_proxies_are_addresses_and_networks_and_this_machine_by_default() -> None:
    given = Settings.from_mapping({"SITEMATCH_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1"})

    assert given.trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")
    assert Settings.from_mapping({}).trusted_proxies == ("127.0.0.0/8", "::1/128")
    assert Settings.from_mapping({"SITEMATCH_TRUSTED_PROXIES": "none"}).trusted_proxies == ()


def test_redis_that_is_not_installed_is_named_with_what_to_install(make: MakeApp) -> None:
    try:
        import redis  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(NotReady, match=r"sitematch\[redis\]"):
            make(limits_storage="redis://localhost:6379")
    else:
        make(limits_storage="redis://localhost:6379")


def test_https_is_believed_only_from_a_trusted_proxy(make: MakeApp) -> None:
    app = make(trusted_proxies=(f"{PROXY}/32",), rate_limits=False)
    seen: list[bool] = []

    @app.before_request
    def note() -> None:
        from flask import request

        seen.append(request.is_secure)

    look_up(app, PROXY, X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
    look_up(app, "198.51.100.9", X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")

    assert seen == [True, False]

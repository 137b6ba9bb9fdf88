"""Names of hosts, malformed addresses, files for their owner alone, and texts that would steer a page or a terminal."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from sitematch.cli.common import console
from sitematch.cli.output import open_output
from sitematch.config import Settings
from sitematch.domain.plain_text import plain_text
from sitematch.domain.table_cells import cell_text
from sitematch.errors import InvalidInput
from sitematch.services.finding.finder import Finder
from sitematch.store import migrate
from sitematch.store.engine import open_store
from tests.api.builders import make_app
from tests.api.served_study import ServedStudy

OURS = "https://sites.example.org"
PROXY = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}

MakeApp = Callable[..., Flask]


@pytest.fixture
def make(tmp_path: Path, finder: Finder, database: Path) -> MakeApp:
    shutil.copy(database, tmp_path)
    return lambda **changes: make_app(tmp_path, finder, **changes)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("path", ["/v1/sites", "/", "/console/sign-in", "/openapi.json", "/nothing"])
def test_request_to_another_host_is_refused_where_a_public_address_is_set(make: MakeApp, path: str) -> None:
    client = make(public_url=OURS).test_client()

    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
    assert client.get(path, headers={"Host": "sites.example.org"}).status_code != 400
    assert client.get(path, headers={"Host": "sites.example.org:8443"}).status_code != 400
    assert client.get(path, headers={"Host": "localhost:8000"}).status_code != 400


def test_more_hosts_can_be_allowed_and_all_are_without_a_setting(make: MakeApp) -> None:
    some = make(allowed_hosts=("a.example", ".b.example")).test_client()
    every = make().test_client()

    allowed = {
        host: some.get("/", headers={"Host": host}).status_code for host in ("a.example", "x.b.example", "c.example")
    }
    assert allowed == {"a.example": 200, "x.b.example": 200, "c.example": 400}
    assert every.get("/", headers={"Host": "anything.example"}).status_code == 200


def test_probes_may_ask_by_address(make: MakeApp) -> None:
    client = make(public_url=OURS).test_client()

    assert client.get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_answers_behind_tls_ask_browsers_to_stay_there(make: MakeApp) -> None:
    client = make().test_client()

    over_tls = client.get("/", headers={"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}, **PROXY)
    plain = client.get("/", **PROXY)

    assert over_tls.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize("address", ["//[", "http://[", "//[::1", "http://a:99999/"])
def test_malformed_addresses_are_the_clients_fault(service: ServedStudy, address: str) -> None:
    page = service.client.get("/console/sign-in", query_string={"next": address})
    form = service.client.post("/console/sign-in", data={"email": "a@example.org"}, headers={"Origin": address})

    assert (page.status_code, form.status_code) == (400, 400)


@pytest.mark.parametrize("text", ["https://a.example", "a.example:80", "a b/c", "*"])
def test_hosts_that_are_no_names_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping({"SITEMATCH_ALLOWED_HOSTS": text})

    assert refused.value.field == "SITEMATCH_ALLOWED_HOSTS"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_new_database_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    file = tmp_path / "new.db"

    with open_store(f"sqlite:///{file}", require_ready=False) as store:
        migrate.upgrade(store)
        modes = {path.name: permissions(path) for path in tmp_path.iterdir()}

    assert "new.db" in modes
    assert set(modes.values()) == {0o600}, (umask, modes)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_output_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    with open_output(tmp_path / "out.csv") as file:
        file.write(b"a")

    assert permissions(tmp_path / "out.csv") == 0o600, umask


def test_database_that_its_operator_opened_to_a_group_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    file.touch(mode=0o660)
    file.chmod(0o660)

    with open_store(f"sqlite:///{file}", require_ready=False) as store:
        migrate.upgrade(store)

    assert permissions(file) == 0o660


@given(st.text())
def test_plain_text_has_nothing_harmful_and_is_plain_already(text: str) -> None:
    found = plain_text(text)

    assert not any((ord(mark) < 32 and mark not in "\t\n\r") or 127 <= ord(mark) < 160 for mark in found)
    assert not set(found) & set("\u202a\u202b\u202c\u202d\u202e")
    assert plain_text(found) == found


@pytest.mark.parametrize(
    "text", ["St. Mary's", "שלום", "مستشفى", "Åbo–Turku 👩‍⚕️", "two\nlines\tand a tab", "\u2068שלום\u2069"]
)
def test_ordinary_text_in_any_script_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


HOSTILE = "St. Mary\u202e\x9b31m\x1b]0;owned\x07"


def test_hostile_name_is_harmless_on_a_page_in_a_table_and_in_a_terminal(
    make: MakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    with make().test_request_context("/"):
        page = render_template_string("{{ name }}|{{ markup }}", name=HOSTILE, markup=Markup(f"<b>{HOSTILE}</b>"))
    console().print(HOSTILE)
    printed = capsys.readouterr().out

    for shown in (page, cell_text(HOSTILE), printed):
        assert "St. Mary" in shown
        assert not set(shown) & set("\u202e\x9b\x1b\x07")
    assert "<b>" in page

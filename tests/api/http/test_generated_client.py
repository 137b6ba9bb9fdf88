"""A client generated from our document works with the real server."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.accounts.access import Grant, Permission, Role
from sitematch.store.accounts import accounts, tokens
from sitematch.store.engine import open_store
from tests.api.builders import STUDY_ID, make_settings
from tests.api.real_server import running_server

PACKAGE = "sitematch_generated_client"


@dataclass
class Generated:
    """The generated package, and its server."""

    base_url: str
    secret: str

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.{name}")

    def client(self) -> Any:
        return self.module("client").Client(base_url=self.base_url, raise_on_unexpected_status=True)

    def signed_in(self, secret: str) -> Any:
        kind = self.module("client").AuthenticatedClient
        return kind(base_url=self.base_url, token=secret, raise_on_unexpected_status=True)


def generate(document: Path, out: Path) -> str:
    """Run the generator as a person would, with every warning an error; return its output."""
    tools = str(Path(sys.executable).parent)  # the generator tidies its code with ruff
    # The generator does not support NDJSON; a setting makes it treat a stream of lines as bytes.
    config = out.with_name("generator.yaml")
    config.write_text("content_type_overrides:\n  application/fhir+ndjson: application/octet-stream\n")
    command = ["generate", "--path", document, "--meta", "none", "--output-path", out, "--fail-on-warning"]
    command += ["--config", config]
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *command],
        cwd=out.parent,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def make_token(home: Path) -> str:
    now = datetime.now(UTC)
    with open_store(make_settings(home).database_url) as store:
        account = accounts.create_account(store, email="viewer@example.org", now=now)
        accounts.give(store, account_id=account.account_id, grant=Grant(role=Role.VIEWER, study_id=STUDY_ID))
        made = tokens.create_token(
            store,
            account_id=account.account_id,
            label="generated client",
            scopes=frozenset({Permission.CAPACITY_READ}),
            expires_at=now + timedelta(days=1),
            now=now,
        )
    return made.secret


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder, home = tmp_path_factory.mktemp("generated"), tmp_path_factory.mktemp("server")
    with running_server(home) as server:
        document = folder / "openapi.json"
        document.write_bytes(server.ask("/openapi.json")[2])
        printed = generate(document, folder / PACKAGE)
        assert printed.split() == ["Generating", str(folder / PACKAGE)]
        sys.path.insert(0, str(folder))
        try:
            yield Generated(f"http://127.0.0.1:{server.port}", make_token(home))
        finally:
            sys.path.remove(str(folder))
            for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
                del sys.modules[name]


def test_every_operation_became_a_module_that_can_be_imported(generated: Generated) -> None:
    root = Path(generated.module("client").__file__).parent
    names = sorted(path.relative_to(root).with_suffix("") for path in root.rglob("*.py") if path.stem != "__init__")

    for name in names:
        generated.module(".".join(name.parts))

    assert len(names) > 100


def test_generated_client_ranks_sites(generated: Generated) -> None:
    models = generated.module("models")
    asked = models.MatchRequest(
        postcode="33180",
        country="US",
        limit=2,
        order=models.Order.DISTANCE,
        status=[models.RecruitmentStatus.RECRUITING],
    )

    with generated.client() as client:
        answer = generated.module("api.matching.matches_post").sync(client=client, body=asked)

    assert isinstance(answer, models.MatchesAnswer)
    assert [match.site.site_id for match in answer.matches] == ["miami", "portland"]
    assert answer.matches[0].site.travel.certainty is models.TravelCertainty.COVERED
    assert isinstance(answer.answered_at, datetime)
    assert answer.query.within_km is None


def test_generated_client_pages_through_the_sites(generated: Generated) -> None:
    list_sites = generated.module("api.sites.sites_list_sites")
    seen: list[str] = []
    after = ""

    with generated.client() as client:
        while after is not None:
            page = list_sites.sync(client=client, limit=3, after=after)
            seen += [site.site_id for site in page.sites]
            after = page.next_

    assert len(seen) == 8
    assert seen == sorted(set(seen))


def test_generated_client_shows_a_site_and_a_postcode(generated: Generated) -> None:
    with generated.client() as client:
        site = generated.module("api.sites.sites_show_site").sync("portland", client=client)
        nowhere = generated.module("api.sites.sites_show_site").sync("nowhere", client=client)
        place = generated.module("api.postcodes.postcodes_locate").sync("US", "33180", client=client)

    assert (site.site.site_id, site.remaining.count) == ("portland", 2)
    assert nowhere.site.location is None
    assert place.place.location.latitude == pytest.approx(25.9597)
    assert place.place.location.uncertainty_km > 0


def test_generated_client_reads_capacity_with_a_token(generated: Generated) -> None:
    show = generated.module("api.capacity.capacity_show")
    models = generated.module("models")

    with generated.signed_in(generated.secret) as client:
        answer = show.sync(client=client, site_id="portland")
    with generated.signed_in("wrong") as client:
        refused = show.sync_detailed(client=client)

    assert answer.study_id == STUDY_ID
    assert [(site.site_id, site.state) for site in answer.sites] == [("portland", models.CapacityState.UNKNOWN)]
    assert answer.sites[0].as_of.tzinfo is not None
    assert refused.status_code == 401
    assert isinstance(refused.parsed, models.Problem)


def test_an_error_is_a_typed_problem_for_the_generated_client(generated: Generated) -> None:
    models = generated.module("models")
    post = generated.module("api.matching.matches_post")

    with generated.client() as client:
        wrong = post.sync(client=client, body=models.MatchRequest(postcode="4102", country="US"))
        missing = generated.module("api.sites.sites_show_site").sync_detailed("none", client=client)

    assert isinstance(wrong, models.Problem)
    assert wrong.type_ == "/problems/invalid-postcode"
    assert [suggestion.text for suggestion in wrong.suggestions] == ["04102"]
    assert (missing.status_code, missing.parsed.status) == (404, 404)

"""``sitematch mcp``, asked by the official client of the Model Context Protocol."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.event_loops import run_apart

COMMAND = str(Path(sys.executable).parent / "sitematch")
CANARY = "33180"


def ask(home: Path, talk: Callable[[Client], Awaitable[Any]], *options: str, log: Path | None = None) -> Any:
    """Start the command, talk to it as a client does, and end it."""

    async def run() -> Any:
        environment = dict(os.environ) | {"SITEMATCH_HOME": str(home), "SITEMATCH_LOG_LEVEL": "debug"}
        parameters = StdioServerParameters(command=COMMAND, args=["mcp", *options], env=environment)
        with (log or Path(os.devnull)).open("w") as said:
            async with Client(stdio_client(parameters, errlog=said)) as client:
                return await talk(client)

    return run_apart(run)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


def test_assistant_finds_clinics_studies_and_places_and_asks_for_the_country_first(tmp_path: Path) -> None:
    async def talk(client: Client) -> dict[str, Any]:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        study = await client.read_resource("study://NCT06064929")
        return {
            "tools": tools,
            "study": json.loads(study.contents[0].text),
            "sites": await call(client, "find_sites", country="US", place=CANARY, limit=3),
            "near": await call(client, "find_sites", country="US", place="Anchorage", within_km=100),
            "clinics": await call(client, "find_clinics", condition="lupus nephritis", country="US", place=CANARY),
            "place": await call(client, "locate_place", country="Germany", place="10117"),
            "studies": await call(client, "find_studies", text="lupus nephritis"),
            "for a child": await call(client, "find_studies", text="lupus nephritis", age_years=5),
        }

    found = ask(tmp_path, talk)

    assert set(found["tools"]) == {"find_sites", "find_clinics", "locate_place", "find_studies"}
    for name in ("find_sites", "find_clinics", "locate_place"):
        asked = found["tools"][name].input_schema
        assert list(asked["properties"]).index("country") < list(asked["properties"]).index("place")
        assert {"country", "place"} <= set(asked["required"])
    assert [match["rank"] for match in found["sites"]["matches"]] == [1, 2, 3]
    assert all(match["reasons"] and match["distance"]["uncertainty_km"] >= 0 for match in found["sites"]["matches"])
    (far,) = found["near"]["matches"]  # the nearest is shown although it is outside, and says so
    assert "OUTSIDE_RADIUS" in [reason["code"] for reason in far["reasons"]]
    assert found["clinics"]["clinics"]
    assert found["place"]["country"] == "DE" and found["place"]["location"]["uncertainty_km"] > 0
    assert [study["study_id"] for study in found["studies"]["studies"]] == ["NCT06064929"]
    assert found["for a child"]["studies"] == []
    assert found["study"]["study_id"] == "NCT06064929"


def test_text_with_several_places_gives_the_choices_to_ask_the_person_about(tmp_path: Path) -> None:
    async def talk(client: Client) -> list[str]:
        return [
            await refusal(client, "locate_place", country="US", place="Springfield"),
            await refusal(client, "find_sites", country="US", place="00000"),
            await refusal(client, "find_sites", country="Atlantis", place="1"),
            await refusal(client, "find_sites", country="US", place=CANARY, study_id="NCT99999999"),
        ]

    several, unknown, country, study = ask(tmp_path, talk)

    assert "Springfield, Missouri" in several and "Springfield, Illinois" in several
    assert "00000" in unknown
    assert "Atlantis" in country
    assert "NCT99999999" in study


def test_capacity_is_answered_only_if_the_person_who_starts_it_says_so(tmp_path: Path) -> None:
    async def talk(client: Client) -> dict[str, Any]:
        return await call(client, "capacity")

    found = ask(tmp_path, talk, "--capacity")

    assert found["study_id"] == "NCT06064929"
    assert {"site_id", "remaining", "held"} <= set(found["sites"][0])


def test_what_a_person_asks_is_in_no_log_and_no_file(tmp_path: Path) -> None:
    canaries = ("QZ9 9QZ", "Zzyzxcanary")

    async def talk(client: Client) -> None:
        for text in canaries:
            await refusal(client, "find_sites", country="GB", place=text)
            await refusal(client, "find_studies", text=text, sex="NEITHER")

    home, log = tmp_path / "home", tmp_path / "log.txt"
    ask(home, talk, log=log)

    for path in (log, *(path for path in home.rglob("*") if path.is_file())):
        content = path.read_bytes()
        assert not [text for text in canaries if text.encode() in content], path


@contextmanager
def served(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [COMMAND, "mcp", "--transport", "http", "--port", str(port)], env=os.environ | {"SITEMATCH_HOME": str(home)}
    )
    try:
        for _ in range(600):
            assert process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_http_answers_the_same_and_offers_no_capacity(tmp_path: Path) -> None:
    async def talk(url: str) -> tuple[set[str], dict[str, Any]]:
        async with Client(url) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            return tools, await call(client, "find_sites", country="US", place=CANARY, limit=1)

    with served(tmp_path) as url:
        tools, found = run_apart(lambda: talk(url))

    assert "capacity" not in tools and "find_sites" in tools
    assert len(found["matches"]) == 1


def test_capacity_over_http_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "mcp", "--transport", "http", "--capacity"],
        env=os.environ | {"SITEMATCH_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "--capacity works only with --transport stdio" in done.stderr


@pytest.fixture(autouse=True)
def _without_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in os.environ if name.startswith("SITEMATCH_") and not name.startswith("SITEMATCH_TEST")
    ]:
        monkeypatch.delenv(name)

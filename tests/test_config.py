"""Settings that are numbers."""

from __future__ import annotations

import pytest

from sitematch.config import Settings
from sitematch.errors import InvalidInput


def test_seconds_are_read_and_default() -> None:
    given = Settings.from_mapping({"SITEMATCH_BUSY_TIMEOUT_S": "2.5", "SITEMATCH_NOTICES_EVERY_S": "0"})
    default = Settings.from_mapping({})

    assert (given.busy_timeout_s, given.notices_every_s) == (2.5, 0.0)
    assert (default.busy_timeout_s, default.notices_every_s) == (10.0, 5.0)
    assert default.webhooks_to_private is False


@pytest.mark.parametrize("name", ["SITEMATCH_BUSY_TIMEOUT_S", "SITEMATCH_NOTICES_EVERY_S"])
@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1e9"])
def test_seconds_that_make_no_sense_are_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping({name: text})

    assert refused.value.field == name


def test_public_address_loses_its_last_slash_and_defaults_to_none() -> None:
    assert Settings.from_mapping({"SITEMATCH_PUBLIC_URL": "https://sites.example.org/"}).public_url == (
        "https://sites.example.org"
    )
    assert Settings.from_mapping({}).public_url == ""


def test_origins_that_may_frame_the_finder_are_read_and_nobody_by_default() -> None:
    given = Settings.from_mapping({"SITEMATCH_FRAME_ANCESTORS": " https://a.example  https://*.b.example:8443 'self' "})

    assert given.frame_ancestors == "https://a.example https://*.b.example:8443 'self'"
    assert Settings.from_mapping({}).frame_ancestors == "'none'"
    assert Settings.from_mapping({"SITEMATCH_FRAME_ANCESTORS": "*"}).frame_ancestors == "*"


@pytest.mark.parametrize(
    "text",
    ["https://a.example; script-src *", "a.example", "https://a.example/page", "* https://a.example", "'none' *"],
)
def test_frame_ancestors_that_are_no_origins_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping({"SITEMATCH_FRAME_ANCESTORS": text})

    assert refused.value.field == "SITEMATCH_FRAME_ANCESTORS"


def test_tile_servers_origin_is_that_of_its_address() -> None:
    settings = Settings.from_mapping({"SITEMATCH_TILES_URL": "https://tiles.example:8443/{z}/{x}/{y}.png?key=1"})

    assert settings.tiles_origin == "https://tiles.example:8443"
    assert Settings.from_mapping({}).tiles_origin == ""


@pytest.mark.parametrize(
    "text",
    ["https://tiles.example/", "ftp://t.example/{z}/{x}/{y}", "https://{s}.t.example/{z}/{x}/{y}.png", "https://t.example/{z}/{x}/{y}; x"],
)  # fmt: skip
def test_tile_server_that_the_policy_could_not_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping({"SITEMATCH_TILES_URL": text})

    assert refused.value.field == "SITEMATCH_TILES_URL"


def test_every_fault_is_told_at_once_and_no_secret_is_repeated() -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_mapping(
            {
                "SITEMATCH_PORT": "http",
                "SITEMATCH_WORKERS": "0",
                "SITEMATCH_THREADS": "4",
                "SITEMATCH_LOG_FORMAT": "xml",
                "SITEMATCH_METRICS_TOKEN": "hunter2",
                "SITEMATCH_ACCESS_LOG": "maybe",
            }
        )

    assert refused.value.message.splitlines() == [
        "SITEMATCH_ACCESS_LOG is 'maybe'; set it to 1 or 0.",
        "SITEMATCH_LOG_FORMAT is 'xml'; set it to console or json.",
        "SITEMATCH_METRICS_TOKEN is too short; set it to 16 or more characters that are random.",
        "SITEMATCH_PORT is 'http'; set it to 1 to 65535.",
        "SITEMATCH_WORKERS is '0'; set it to 1 to 64.",
        "SITEMATCH_THREADS is '4'; set it to 0, or 5 to 64.",
    ]


def test_settings_do_not_show_the_metrics_token() -> None:
    token = "a-token-that-is-long-enough"

    assert token not in repr(Settings.from_mapping({"SITEMATCH_METRICS_TOKEN": token}))


def test_router_without_an_address_and_an_unknown_router_are_refused() -> None:
    with pytest.raises(InvalidInput, match="SITEMATCH_ROUTER_URL is missing"):
        Settings.from_mapping({"SITEMATCH_ROUTER": "osrm"})
    with pytest.raises(InvalidInput, match="SITEMATCH_ROUTER is 'google'"):
        Settings.from_mapping({"SITEMATCH_ROUTER": "google"})

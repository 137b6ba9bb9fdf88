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

"""The table of cap levels is complete, and other lists by level agree with it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from api.console.page import labels
from sitematch.domain.capacity.caps import CAP_LEVELS, CapKey, CapLevel, SiteCapacity
from sitematch.domain.capacity.occupancy import keys_for


def test_table_has_every_level_widest_first() -> None:
    assert list(CAP_LEVELS) == list(CapLevel)


def test_spot_counts_under_one_cap_of_each_level_widest_first() -> None:
    keys = keys_for("site-1", "DE", "arm-1")

    assert [key.level for key in keys] == list(CapLevel)
    assert sorted(set(keys), key=lambda key: key.order) == list(keys)
    assert [bool(key.scope) for key in keys] == [facts.has_scope for facts in CAP_LEVELS.values()]


@pytest.mark.parametrize("level", CapLevel)
def test_level_has_a_label_and_names_an_attribute_that_sites_have(level: CapLevel) -> None:
    attribute = CAP_LEVELS[level].site_attribute

    assert level in labels.LEVELS
    assert attribute is None or attribute in {field.name for field in fields(SiteCapacity)}


def test_key_is_said_in_words() -> None:
    assert CapKey(level=CapLevel.STUDY).words == "the study"
    assert CapKey(level=CapLevel.COUNTRY, scope="DE").words == "country DE"

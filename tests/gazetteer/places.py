"""Typed texts, and the result of each in every interface."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sitematch.domain.place import Coordinates, Place
from sitematch.errors import (
    AmbiguousPlace,
    ForcesPostcode,
    InvalidPostcode,
    NotFound,
    OnlyRegionGiven,
    OwnLocationWanted,
    SitematchError,
)
from sitematch.gazetteer.nearness import rough_km

CASES = tuple(csv.DictReader((Path(__file__).parent / "places.csv").read_text(encoding="utf-8").splitlines()))


def check(row: dict[str, str], found: Place | SitematchError) -> None:
    wanted, _, what = row["expect"].partition(":")
    match wanted:
        case "place":
            assert isinstance(found, Place), found
            point = Coordinates(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
            assert rough_km(found.coordinates, point) <= float(row["within_km"]), found
        case "refused":
            assert isinstance(found, NotFound), found
            assert found.suggestions
        case "region":
            assert isinstance(found, OnlyRegionGiven), found
            assert "Give a town or a postcode in it." in found.message
        case "ask":
            assert isinstance(found, AmbiguousPlace), found
            assert found.candidates[0].country == what
            choices = [(candidate.text, candidate.country) for candidate in found.candidates]
            assert len(set(choices)) == len(choices)
        case "suggest":
            assert isinstance(found, InvalidPostcode), found
            assert what in [suggestion.text for suggestion in found.suggestions]
        case "forces":
            assert isinstance(found, ForcesPostcode), found
            assert row["text"] in found.message
        case "use-location":
            assert isinstance(found, OwnLocationWanted), found
        case "not-empty":
            assert isinstance(found, Place) or "empty" not in found.message
        case _:
            pytest.fail(f"unknown expectation {row['expect']}")

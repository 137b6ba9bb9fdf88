"""geopy's interface: programs that use a geopy geocoder can use this one."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from geopy.exc import GeocoderQueryError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim
from geopy.location import Location
from geopy.point import Point

from sitematch.errors import AmbiguousPlace, NotReady
from sitematch.gazetteer.geocoder import AmbiguousQuery, SitematchGeocoder
from sitematch.gazetteer.locate import Gazetteer


@pytest.fixture(scope="module")
def geocoder(gazetteer: Gazetteer) -> SitematchGeocoder:
    return SitematchGeocoder(gazetteer, user_agent="taken and not used", timeout=3)


def test_a_postcode_gives_a_location_with_its_uncertainty(geocoder: SitematchGeocoder) -> None:
    location = geocoder.geocode("33180, USA")

    assert isinstance(location, Location)
    assert (location.latitude, location.longitude) == (25.9597, -80.1403)
    assert location.address == "Miami, Florida, 33180, United States"
    assert location.raw["uncertainty_km"] == 4.1
    assert location.raw["precision"] == "DISTRICT"
    assert location.raw["source"] == "A test source"


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ({"postalcode": "33180", "country": "US"}, "Miami, Florida, 33180, United States"),
        ({"city": "Springfield", "state": "IL", "country": "USA"}, "Springfield, Illinois, United States"),
        ({"postalcode": "75013", "city": "Paris"}, "Paris 13, Île-de-France, 75013, France"),
    ],
)
def test_structured_queries_are_understood(geocoder: SitematchGeocoder, query: dict[str, str], address: str) -> None:
    location = geocoder.geocode(query)

    assert isinstance(location, Location)
    assert location.address == address


def test_an_unknown_place_is_none_as_in_geopy(geocoder: SitematchGeocoder) -> None:
    assert geocoder.geocode("Xyzzyville") is None
    assert geocoder.geocode("Xyzzyville", exactly_one=False) is None


def test_an_ambiguous_place_raises_for_one_and_lists_for_many(geocoder: SitematchGeocoder) -> None:
    with pytest.raises(AmbiguousQuery) as caught:
        geocoder.geocode("Springfield")
    several = geocoder.geocode("Springfield", exactly_one=False)

    assert isinstance(caught.value, GeocoderQueryError)
    assert isinstance(caught.value, AmbiguousPlace)
    assert len(caught.value.candidates) == 2
    assert isinstance(several, list)
    assert [location.address.split(", ")[1] for location in several] == ["Missouri", "Illinois"]
    assert geocoder.geocode("Springfield", exactly_one=False, limit=1) == several[:1]


def test_country_codes_restrict_and_hint(geocoder: SitematchGeocoder) -> None:
    one = geocoder.geocode("20060", country_codes="it")
    hinted = geocoder.geocode("20060", country_codes=["us", "de"])

    assert isinstance(one, Location)
    assert isinstance(hinted, Location)
    assert (one.raw["country"], hinted.raw["country"]) == ("IT", "US")


@pytest.mark.parametrize("query", ["", "9" * 10_000, {"street": "x"}])
def test_a_query_that_cannot_be_understood_is_geopys_error(geocoder: SitematchGeocoder, query: object) -> None:
    with pytest.raises(GeocoderQueryError):
        geocoder.geocode(query)  # type: ignore[arg-type]


def test_a_default_country_applies(gazetteer: Gazetteer) -> None:
    location = SitematchGeocoder(gazetteer, country="IT").geocode("20060")

    assert isinstance(location, Location)
    assert location.raw["country"] == "IT"


@pytest.mark.parametrize(
    ("point", "postcode"),
    [
        ((25.96, -80.14), "33180"),
        ("43.66, -70.29", "04102"),
        (Point(51.578, 0.02), "E11"),
        ([35.6661, 139.77], "104-0045"),
        ((-80.0, 179.9), None),
        ((25.04, 121.52), None),
    ],
)
def test_reverse_finds_the_nearest_postcode(geocoder: SitematchGeocoder, point: object, postcode: str | None) -> None:
    location = geocoder.reverse(point)  # type: ignore[arg-type]

    assert isinstance(location, Location)
    assert location.raw["postcode"] == postcode
    assert location.raw["distance_km"] >= 0


def test_reverse_lists_nearest_first(geocoder: SitematchGeocoder) -> None:
    locations = geocoder.reverse((51.5, -0.1), exactly_one=False, limit=3)

    assert isinstance(locations, list)
    distances = [location.raw["distance_km"] for location in locations]
    assert len(distances) == 3
    assert distances == sorted(distances)
    assert locations[0].raw["postcode"] == "SW1A"


@pytest.mark.filterwarnings("ignore:Latitude normalization")
@pytest.mark.parametrize("point", ["nowhere", (91, 0), (0, float("nan")), None])
def test_reverse_refuses_invalid_points(geocoder: SitematchGeocoder, point: object) -> None:
    with pytest.raises(GeocoderQueryError):
        geocoder.reverse(point)  # type: ignore[arg-type]


def test_it_works_under_geopys_own_rate_limiter(geocoder: SitematchGeocoder) -> None:
    geocode = RateLimiter(geocoder.geocode, min_delay_seconds=0)

    assert geocode("33180, USA").latitude == 25.9597


def test_the_arguments_that_geopys_geocoders_share_are_taken() -> None:
    shared = {"query", "exactly_one", "timeout", "language"}

    for method in ("geocode", "reverse"):
        ours = set(inspect.signature(getattr(SitematchGeocoder, method)).parameters)
        theirs = set(inspect.signature(getattr(Nominatim, method)).parameters)
        assert shared <= ours & theirs


def test_nothing_can_be_sent(geocoder: SitematchGeocoder) -> None:
    with pytest.raises(NotImplementedError, match="sends nothing"):
        geocoder._call_geocoder("http://127.0.0.1:9/", lambda answer: answer)


def test_a_missing_file_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        SitematchGeocoder(tmp_path / "none.sqlite")

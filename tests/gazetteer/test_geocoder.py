"""geopy's interface: programs that use a geopy geocoder can use this one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from geopy.exc import GeocoderQueryError
from geopy.extra.rate_limiter import AsyncRateLimiter, RateLimiter
from geopy.geocoders import Nominatim
from geopy.location import Location
from geopy.point import Point

from sitematch.errors import NotReady
from sitematch.gazetteer.geocoder import AmbiguousQuery, AsyncAdapter, IgnoredOption, SitematchGeocoder
from sitematch.gazetteer.locate import Gazetteer
from tests.event_loops import run_apart


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


def test_an_ambiguous_place_is_the_first_with_a_warning_and_a_list_for_many(geocoder: SitematchGeocoder) -> None:
    with pytest.warns(AmbiguousQuery, match="2 places match") as warned:
        first = geocoder.geocode("Springfield")
    several = geocoder.geocode("Springfield", exactly_one=False)

    assert "Springfield" not in str(warned[0].message)  # what was typed may say where a person lives
    assert warned[0].filename == __file__
    assert isinstance(several, list)
    assert (first.address, first.point) == (several[0].address, several[0].point)
    assert first.raw["candidates"] == [location.address for location in several]
    assert [location.address.split(", ")[1] for location in several] == ["Missouri", "Illinois"]
    assert geocoder.geocode("Springfield", exactly_one=False, limit=1) == several[:1]


def test_an_ambiguous_place_is_neither_tried_again_nor_logged_by_the_rate_limiter(
    geocoder: SitematchGeocoder, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def counted(query: str) -> object:
        calls.append(query)
        return geocoder.geocode(query)

    with pytest.warns(AmbiguousQuery):
        location = RateLimiter(counted, min_delay_seconds=0)("Springfield")

    assert location is not None
    assert (calls, caplog.records) == (["Springfield"], [])


@pytest.mark.parametrize(
    ("corners", "state"), [(((36, -95), (38, -90)), "Missouri"), (((39, -91), (41, -88)), "Illinois")]
)
def test_a_view_chooses_between_places_of_one_name(geocoder: SitematchGeocoder, corners: object, state: str) -> None:
    with pytest.warns(AmbiguousQuery):
        location = geocoder.geocode("Springfield", viewbox=corners)
    bounded = geocoder.geocode("Springfield", viewbox=corners, bounded=True)

    assert location.address.split(", ")[1] == state
    assert bounded.address == location.address
    assert geocoder.geocode("Springfield", viewbox=((0, 0), (1, 1)), bounded=True) is None


@pytest.mark.parametrize("viewbox", ["1,2", ((1, 2),), 5, ((1, 2), ("x", 3))])
def test_a_view_of_another_form_is_refused(geocoder: SitematchGeocoder, viewbox: object) -> None:
    with pytest.raises(GeocoderQueryError):
        geocoder.geocode("33180", viewbox=viewbox)


@pytest.mark.parametrize(
    "option",
    [{"language": "de"}, {"geometry": "geojson"}, {"extratags": True}, {"namedetails": True}, {"featuretype": "state"}],
)
def test_an_option_that_is_not_used_is_said(geocoder: SitematchGeocoder, option: dict[str, Any]) -> None:
    with pytest.warns(IgnoredOption, match=next(iter(option))):
        location = geocoder.geocode("33180, USA", **option)

    assert location.latitude == 25.9597


def test_the_defaults_of_nominatim_and_what_is_found_anyway_need_no_warning(geocoder: SitematchGeocoder) -> None:
    for method in ("geocode", "reverse"):
        theirs = inspect.signature(getattr(Nominatim, method)).parameters
        given = {name: one.default for name, one in theirs.items() if one.kind is one.KEYWORD_ONLY}
        assert getattr(geocoder, method)("33180, USA" if method == "geocode" else (25.96, -80.14), **given) is not None
    assert geocoder.geocode("33180, USA", featuretype="settlement") is not None


def test_everything_that_nominatim_takes_is_taken() -> None:
    for method in ("__init__", "geocode", "reverse"):
        ours = inspect.signature(getattr(SitematchGeocoder, method)).parameters
        assert set(inspect.signature(getattr(Nominatim, method)).parameters) <= set(ours)


def test_a_street_is_taken_and_said_not_to_be_used(geocoder: SitematchGeocoder) -> None:
    location = geocoder.geocode({"street": "1 Example Street", "postalcode": "33180", "country": "US"})

    assert (location.latitude, location.raw["not_used"]) == (25.9597, ["street"])


def test_parts_of_the_address_are_given_on_request(geocoder: SitematchGeocoder) -> None:
    assert "address" not in geocoder.geocode("33180, USA").raw
    assert geocoder.geocode("33180, USA", addressdetails=True).raw["address"]["country_code"] == "us"
    assert geocoder.reverse((25.96, -80.14)).raw["address"]["postcode"] == "33180"


def test_it_is_awaited_with_an_asynchronous_adapter(gazetteer: Gazetteer) -> None:
    async def ask() -> tuple[Location, Location]:
        async with SitematchGeocoder(gazetteer, adapter_factory=AsyncAdapter) as geocoder:
            geocode = AsyncRateLimiter(geocoder.geocode, min_delay_seconds=0)
            with pytest.raises(NotImplementedError, match="sends nothing"):
                await geocoder._call_geocoder("http://127.0.0.1:9/", lambda answer: answer)
            return await geocode("33180, USA"), await geocoder.reverse((25.96, -80.14))

    found, back = run_apart(ask)

    assert (found.latitude, back.raw["postcode"]) == (25.9597, "33180")


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


def test_nothing_can_be_sent(geocoder: SitematchGeocoder) -> None:
    with pytest.raises(NotImplementedError, match="sends nothing"):
        geocoder._call_geocoder("http://127.0.0.1:9/", lambda answer: answer)


def test_a_missing_file_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        SitematchGeocoder(tmp_path / "none.sqlite")

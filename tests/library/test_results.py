"""What a result can become: text, HTML, a data frame, GeoJSON."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import sitematch
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.exporters.tables.rows import MATCH_HEADER
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.finder import Finder
from tests.builders import NOW, make_place, make_site, make_study

MARKUP = '<script>alert("&")</script>'


@pytest.fixture(scope="module")
def found(finder: Finder) -> sitematch.Matches:
    result = finder.find("33180", "US", MatchPolicy(limit=3), NOW)
    return sitematch.Matches(result, finder.study, finder.attribution, finder.contacts)


def test_a_result_is_a_sequence_of_its_matches(found: sitematch.Matches) -> None:
    assert [match.rank for match in found] == [1, 2, 3]
    assert (len(found), found[0], found[1:]) == (3, found.matches[0], found.matches[1:])


def test_a_frame_has_a_row_for_each_site_and_not_the_persons_place(found: sitematch.Matches) -> None:
    frame = found.to_frame()

    assert tuple(frame.columns) == MATCH_HEADER
    assert list(frame["site_id"][:3]) == [match.site.site_id for match in found]
    assert len(frame) == len(found) + len(found.result.excluded)
    assert "33180" not in frame.drop(columns=["postcode", "location_postcode"]).to_csv()


def test_geojson_has_the_longitude_first(found: sitematch.Matches) -> None:
    first = found.to_geojson()["features"][0]

    assert first["geometry"]["coordinates"] == (found[0].site.location.longitude, found[0].site.location.latitude)


def test_neither_repr_nor_a_log_has_the_place(found: sitematch.Matches) -> None:
    located = sitematch.Located(found.place, ())

    assert repr(found) == "<Matches: 3 of NCT06064929>"
    assert not re.search("33180|Miami", repr(located) + repr(found))


def test_print_shows_what_the_command_shows(found: sitematch.Matches) -> None:
    assert str(found).startswith("From 33180, Miami, Florida, US: known to within 4.2 mi (a postcode area).")
    assert "The sites are stand-ins" in str(found)


class Tags(HTMLParser):
    """The tags of a text, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(html: str) -> set[str]:
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.seen


def test_a_notebook_shows_a_table_and_a_map_without_scripts_or_other_servers(found: sitematch.Matches) -> None:
    html = found._repr_html_()

    assert {"table", "svg", "title"} <= tags(html)
    assert not {"script", "link", "img", "iframe", "style"} & tags(html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) == {"http://www.w3.org/2000/svg"}
    assert html.count("<tr>") == 1 + len(found)


def test_nothing_from_a_record_can_be_markup(gazetteer: Gazetteer) -> None:
    open_site = make_site("a", facility=MARKUP, city=MARKUP)
    shut = make_site("b", facility=MARKUP, status=RecruitmentStatus.COMPLETED)
    finder = Finder(gazetteer, make_study(title=MARKUP, notice=MARKUP, source=MARKUP), [open_site, shut])
    place = make_place(0.0, 1.0, name=MARKUP, notes=(MARKUP,))
    found = sitematch.Matches(finder.match_sites(place, MatchPolicy(), NOW), finder.study, (MARKUP,))

    html = found._repr_html_() + sitematch.Located(place, (MARKUP,))._repr_html_()

    assert "script" not in tags(html)


def test_the_map_keeps_distances_and_directions(gazetteer: Gazetteer) -> None:
    # 100 km to the east, and 50 km to the north of the equator.
    sites = [make_site("east", longitude=0.8983), make_site("north", latitude=0.4522)]
    finder = Finder(gazetteer, make_study(), sites)
    found = sitematch.Matches(finder.match_sites(make_place(), MatchPolicy(), NOW), finder.study, ())

    html = found._repr_html_()

    svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    spots = [
        (float(dot.attrib["cx"]) - 140, 140 - float(dot.attrib["cy"])) for dot in svg.iterfind(".//{*}g/{*}circle")
    ]
    assert "the outer ring is 100 km away" in html
    assert spots == [pytest.approx((112, 0), abs=0.2), pytest.approx((0, 56), abs=0.2)]


@pytest.mark.parametrize("sites", [[], [make_site(latitude=None)], [make_site()]], ids=["none", "unplaced", "here"])
def test_a_result_without_anything_to_draw_is_still_shown(gazetteer: Gazetteer, sites: list[object]) -> None:
    finder = Finder(gazetteer, make_study(), sites)  # type: ignore[arg-type]
    found = sitematch.Matches(finder.match_sites(make_place(), MatchPolicy(), NOW), finder.study, ())

    assert tags(found._repr_html_()) and len(found.to_frame()) == len(sites) and found.to_geojson()


def test_a_place_becomes_a_frame_and_a_feature() -> None:
    found = sitematch.locate("33180", "US")

    assert found.to_geojson()["geometry"]["coordinates"] == (found.longitude, found.latitude)
    assert dict(found.to_frame().iloc[0])["uncertainty_km"] == found.uncertainty_km
    assert "33180" in str(found)

from __future__ import annotations

import pytest

from sitematch.errors import DataFault
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.borders import Borders
from sitematch.gazetteer.build.evidence import TownIndex
from sitematch.gazetteer.build.judging import Held, Verdict, judge, refuse_harm
from sitematch.gazetteer.build.namesakes import move_namesakes
from sitematch.gazetteer.build.post_towns import RULE as POST_TOWN
from sitematch.gazetteer.build.post_towns import move_to_post_towns
from sitematch.gazetteer.build.repair import (
    believe_census,
    finished,
    keep_home,
    move_to_city,
    widen_to_home,
)
from sitematch.gazetteer.build.rows import Repair, Rows
from sitematch.gazetteer.build.strays import DOUBT_MOST_KM, move_strays
from tests.gazetteer_build.builders import Code, make_draft, make_rows, make_town

COLOGNE: list[Code] = [
    ("DE", f"506{n:02d}", 50.93 + n / 500, 6.95 + n / 400, "Köln", "Nordrhein-Westfalen") for n in range(12)
]
BERLIN: list[Code] = [("DE", f"101{n:02d}", 52.51 + n / 500, 13.38 + n / 400, "Berlin", "Berlin") for n in range(14)]


@pytest.fixture(scope="module")
def borders() -> Borders:
    return Borders(sources.read(sources.BORDERS))


STRAY: Code = ("DE", "50647", 52.516, 13.39, "Servicecenter", "Nordrhein-Westfalen")


def test_distance_from_the_codes_around_it_alone_moves_no_code() -> None:
    draft = make_draft([*COLOGNE, *BERLIN, STRAY])

    move_strays(draft, TownIndex(()))

    at = draft.rows.codes.index(("DE", "50647"))
    assert draft.rows.latitude[at] == 52.516
    assert finished(draft) == []
    assert draft.rows.uncertainty_km[at] == DOUBT_MOST_KM


def test_a_code_among_strangers_goes_to_a_town_of_its_name_and_region_among_its_kin() -> None:
    town = make_town(name="Servicecenter", latitude=50.9, longitude=6.9, population=8_000)
    draft = make_draft([*COLOGNE, *BERLIN, STRAY])

    move_strays(draft, TownIndex([town]))

    at = draft.rows.codes.index(("DE", "50647"))
    assert (draft.rows.latitude[at], draft.rows.longitude[at]) == (50.9, 6.9)
    assert [(one.key, one.moved_km > 400) for one in finished(draft)] == [("50647", True)]


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("the town of its name is in another region", {"admin": "Berlin"}),
        ("a town of its name lies at its point as well", {}),
    ],
)
def test_a_stray_stays_where_a_witness_is_missing(what: str, changes: dict[str, object]) -> None:
    towns = [make_town(name="Servicecenter", latitude=50.9, longitude=6.9, **changes)]
    if not changes:
        towns.append(make_town(id=2, name="Servicecenter", admin="Berlin", latitude=52.52, longitude=13.4))
    draft = make_draft([*COLOGNE, *BERLIN, STRAY])

    move_strays(draft, TownIndex(towns))

    assert finished(draft) == [], what


VOLGOGRAD = make_town(
    country="RU", name="Волгоград", admin="Волгоградская", latitude=48.71, longitude=44.5, population=1_000_000
)


def volgograd_codes(name: str = "Волгоград") -> list[Code]:
    return [("RU", f"4000{n:02d}", 49.54, 44.27, f"{name} {n}", "Волгоградская") for n in range(1, 12)]


def test_codes_with_a_towns_name_and_digits_lie_at_the_town_however_far_their_point_is() -> None:
    draft = make_draft(volgograd_codes())

    move_to_post_towns(draft, TownIndex([VOLGOGRAD]))

    assert set(draft.rows.latitude.tolist()) == {48.71}
    assert {one.rule for one in finished(draft)} == {POST_TOWN}


def test_a_towns_name_under_another_towns_digits_moves_nothing() -> None:
    # A quarter of another city that is called after the large one.
    others: list[Code] = [("RU", f"4001{n:02d}", 50.08, 45.4, f"Камышин {n}", "Волгоградская") for n in range(1, 12)]
    draft = make_draft([*others, ("RU", "400150", 50.08, 45.41, "Волгоград", "Волгоградская")])

    move_to_post_towns(draft, TownIndex([VOLGOGRAD]))

    assert finished(draft) == []


def test_a_japanese_blocks_name_is_no_towns() -> None:
    codes: list[Code] = [("JP", f"05600{n:02d}", 42.3, 142.4, "Sakaemachi", "Hokkaido") for n in range(5)]
    town = make_town(country="JP", name="Sakaemachi", admin="Hokkaido", latitude=43.0, population=30_000)
    draft = make_draft(codes)

    move_to_post_towns(draft, TownIndex([town]))

    assert finished(draft) == []


def test_a_town_of_another_region_draws_no_code() -> None:
    draft = make_draft(volgograd_codes())
    elsewhere = make_town(country="RU", name="Волгоград", admin="Омская", latitude=55.0, population=1_000_000)

    move_to_post_towns(draft, TownIndex([elsewhere]))

    assert finished(draft) == []


def test_a_code_from_a_trusted_source_is_never_a_stray() -> None:
    stray: Code = ("DE", "50647", 52.516, 13.39, "Servicecenter", "Berlin")
    draft = make_draft([*COLOGNE, *BERLIN, stray])
    draft.trusted[:] = True

    move_strays(draft, TownIndex(()))

    assert finished(draft) == []


def test_a_namesake_in_another_state_gives_way_to_the_town_in_its_own() -> None:
    wrong: Code = ("DE", "50699", 52.512, 13.392, "Frechen", "Nordrhein-Westfalen")
    frechen = make_town(id=2, name="Frechen", latitude=50.91, longitude=6.81, population=50_000)
    draft = make_draft([*COLOGNE, *BERLIN, wrong])

    move_namesakes(draft, TownIndex([frechen]))

    at = draft.rows.codes.index(("DE", "50699"))
    assert (draft.rows.latitude[at], draft.rows.longitude[at]) == (50.91, 6.81)
    assert "another state" in draft.repairs[at][2]


def test_a_namesake_stays_where_no_town_of_its_own_state_has_the_name() -> None:
    wrong: Code = ("DE", "50699", 52.512, 13.392, "Frechen", "Nordrhein-Westfalen")
    elsewhere = make_town(id=2, name="Frechen", admin="Bayern", latitude=48.1, longitude=11.5)
    draft = make_draft([*COLOGNE, *BERLIN, wrong])

    move_namesakes(draft, TownIndex([elsewhere]))

    assert finished(draft) == []


def test_codes_on_the_middle_of_a_district_go_to_the_city_that_two_of_them_name() -> None:
    names = ["Bangalore G.P.O.", "Bangalore City", *[f"Quarter {n}" for n in range(8)]]
    codes: list[Code] = [("IN", f"5600{n:02d}", 13.2257, 77.575, name, "Karnataka") for n, name in enumerate(names)]
    city = make_town(country="IN", name="Bangalore", latitude=12.97, longitude=77.59, population=8_000_000)
    draft = make_draft(codes)

    move_to_city(draft, TownIndex([city]))

    assert set(draft.rows.latitude.tolist()) == {12.97}
    assert (draft.rows.uncertainty_km >= 28).all()


def test_the_census_point_is_taken_and_the_disagreement_kept_as_uncertainty() -> None:
    draft = make_draft([("US", "33180", 25.95, -80.14, "Miami", "Florida")])

    believe_census(draft, {"33180": (25.96, -80.04)}, TownIndex(()))

    assert (draft.rows.latitude[0], draft.rows.longitude[0]) == (25.96, -80.04)
    assert draft.rows.uncertainty_km[0] == pytest.approx(10.08, abs=0.1)
    assert draft.rows.source[0] == sources.ZCTA.id


def test_a_town_beats_a_census_point_in_the_wilderness() -> None:
    draft = make_draft([("US", "99701", 64.838, -147.716, "Fairbanks", "Alaska")])
    town = make_town(country="US", name="Fairbanks", latitude=64.838, longitude=-147.716, population=32_000)

    believe_census(draft, {"99701": (67.375, -149.728)}, TownIndex([town]))

    assert draft.rows.latitude[0] == 64.838


def test_without_a_town_the_census_wins_however_far() -> None:
    draft = make_draft([("US", "86544", 35.2375, -109.5229, "Red Valley", "Arizona")])

    believe_census(draft, {"86544": (36.5443, -109.1422)}, TownIndex(()))

    assert draft.rows.latitude[0] == 36.5443
    assert "149 km" in draft.repairs[0][2]


def test_a_code_far_outside_its_country_goes_to_its_town(borders: Borders) -> None:
    draft = make_draft([("DE", "50667", 10.0, 20.0, "Köln", "")])

    keep_home(draft, borders, TownIndex([make_town()]))

    assert draft.rows.latitude[0] == 50.9375


def test_a_code_outside_its_country_does_not_go_to_a_namesake_in_another_region(borders: Borders) -> None:
    draft = make_draft([("DE", "50667", 52.5, 3.5, "Köln", "Nordrhein-Westfalen")])

    keep_home(draft, borders, TownIndex([make_town(admin="Bayern", latitude=48.1, longitude=11.5)]))

    assert draft.rows.latitude[0] == 52.5
    assert draft.rows.uncertainty_km[0] > 100


def test_a_code_that_stays_outside_reaches_home_with_its_uncertainty(borders: Borders) -> None:
    draft = make_draft([("DE", "50667", 10.0, 20.0, "Nowhere", "")])

    widen_to_home(draft, borders)

    assert draft.rows.uncertainty_km[0] > 3_900


def test_a_country_across_the_antimeridian_is_home_on_both_sides(borders: Borders) -> None:
    import numpy as np

    latitude, longitude = np.array([-16.8, -16.7, -17.8]), np.array([-179.98, 179.95, 178.0])

    outside = borders.outside_km("FJ", latitude, longitude)

    assert (outside < 6).all()


def test_the_antimeridian_is_no_border_for_the_distance(borders: Borders) -> None:
    import numpy as np

    # 180° W, off Taveuni, whose polygon lies mostly on the eastern side.
    outside = borders.outside_km("NZ", np.array([-43.95]), np.array([180.0]))

    assert 200 < outside[0] < 400  # to the Chatham Islands at 176° W


def moved_code(rule: str = "a rule") -> tuple[Rows, Repair]:
    rows = make_rows([("DE", "50667", 50.94, 6.96, "Köln", "")])
    return rows, Repair("DE", "50667", 52.5, 13.4, 477.0, "a reason", rule, sources.POSTAL.id)


def test_a_repair_is_judged_by_a_source_that_it_did_not_use() -> None:
    rows, repair = moved_code()
    cologne = Held(source=9, points={"50667": (50.93, 6.95)}, uses="")
    berlin = Held(source=9, points={"50667": (52.51, 13.39)}, uses="")

    assert judge("DE", rows, [repair], [cologne]) == (Verdict("DE", "a rule", 1, 1, 0),)
    assert judge("DE", rows, [repair], [berlin]) == (Verdict("DE", "a rule", 1, 0, 1),)


def test_a_source_does_not_judge_the_rule_that_used_it() -> None:
    rows, repair = moved_code()
    cologne = Held(source=9, points={"50667": (50.93, 6.95)}, uses="a rule")

    assert judge("DE", rows, [repair], [cologne]) == (Verdict("DE", "a rule", 1, 0, 0),)


def test_a_rule_with_more_worse_than_better_stops_the_build() -> None:
    refuse_harm([Verdict("CA", "a rule", 9, 5, 4)])

    with pytest.raises(DataFault) as caught:
        refuse_harm([Verdict("CA", "a rule", 9, 5, 4), Verdict("AU", "a rule", 9, 1, 4)])

    assert [(fault.field, fault.reason) for fault in caught.value.faults] == [
        ("AU", "1 better, 4 worse"),
        ("all", "6 better, 8 worse"),
    ]

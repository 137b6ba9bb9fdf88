"""Circles are fitted to one half of independent points and checked with the other."""

from __future__ import annotations

import pytest

from sitematch.gazetteer.build.calibrating import FEW, MOST_FACTOR, calibrate
from sitematch.gazetteer.build.judging import Held
from tests.gazetteer_build.builders import Code, make_draft


def codes(count: int) -> list[Code]:
    return [("CA", f"A{n // 10}{chr(65 + n % 10)}", 50.0 + n / 10, -100.0, "", "") for n in range(count)]


def held(given: list[Code], off_deg: float) -> Held:
    return Held(source=9, points={code[1]: (code[2] + off_deg, code[3]) for code in given}, uses="")


def test_circles_that_are_too_small_grow_to_hold_their_share() -> None:
    given = codes(2 * FEW)
    draft = make_draft(given)  # circles of one kilometre

    (check,) = calibrate(draft, held(given, 0.018))  # two kilometres

    assert check.factor == pytest.approx(2.0, abs=0.01)
    assert set(draft.rows.uncertainty_km.tolist()) == {check.factor}
    assert check.points == FEW
    assert check.inside >= 0.9 * check.points


def test_circles_never_shrink_and_never_grow_without_bounds() -> None:
    given = codes(2 * FEW)
    close, far = make_draft(given), make_draft(given)

    (small,) = calibrate(close, held(given, 0.001))
    (large,) = calibrate(far, held(given, 5.0))

    assert (small.factor, large.factor) == (1.0, MOST_FACTOR)
    assert (small.inside, large.inside) == (FEW, 0)


def test_a_handful_of_points_fits_nothing() -> None:
    given = codes(20)
    draft = make_draft(given)

    assert calibrate(draft, held(given, 1.0)) == ()
    assert set(draft.rows.uncertainty_km.tolist()) == {1.0}

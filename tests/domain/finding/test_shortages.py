"""The reason for leaving out a site is its real cause, for every status, cap, closure and policy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sitematch.domain.capacity.caps import CapKey, CapLevel, Remaining, Shortage
from sitematch.domain.capacity.occupancy import CapRule, Group, SiteInView, StudyView
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.domain.capacity.states import EventKind
from sitematch.domain.finding.candidate import Candidate
from sitematch.domain.finding.match import MatchResult, ReasonCode
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.finding.ranking import rank
from sitematch.domain.finding.wording import explain
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.units import Unit
from sitematch.services.finding.live_finders import shown_remaining
from tests.builders import NOW, make_place, make_site

TAKEN = 2
"""Spots in use at the site, and so in its country and the study."""

LEVELS = {
    CapLevel.STUDY: CapKey(level=CapLevel.STUDY),
    CapLevel.COUNTRY: CapKey(level=CapLevel.COUNTRY, scope="US"),
    CapLevel.SITE: CapKey(level=CapLevel.SITE, scope="one"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One combination of everything that can prevent a site from taking patients."""

    study_recruits: bool
    site_status: RecruitmentStatus
    rules: dict[CapLevel, CapRule]
    waiting_list: bool

    @property
    def site(self) -> Site:
        return make_site(site_id="one", country="US", status=self.site_status)

    def view(self) -> StudyView:
        recruits = self.site_status is RecruitmentStatus.RECRUITING
        return StudyView(
            study_id="NCT1",
            takes_patients=self.study_recruits,
            policy=SpotPolicy(waiting_list=self.waiting_list),
            caps={LEVELS[level]: rule for level, rule in self.rules.items()},
            sites=(SiteInView("one", "US", recruits),),
            groups=(Group("one", "US", None, EventKind.ENROLLED, None, TAKEN),),
        )

    def expected(self) -> Shortage | None:
        """Return the cause, by checking all causes one by one; None if a spot is free."""
        if not self.study_recruits:
            return Shortage.STUDY_NOT_RECRUITING
        for level in LEVELS:
            if self.rules[level].is_closed:
                return Shortage(f"{level}_CLOSED")
        for level in LEVELS:
            if self.rules[level].spots == 0:
                return Shortage(f"{level}_NO_SPOTS")
            if self.rules[level].spots in range(1, TAKEN + 1):
                return Shortage(f"{level}_FULL")
        return None


def cases() -> Iterator[Case]:
    caps = [CapRule(spots, closed) for spots in (None, 0, 1, TAKEN, TAKEN + 1) for closed in (False, True)]
    statuses = (RecruitmentStatus.RECRUITING, RecruitmentStatus.NOT_YET_RECRUITING, RecruitmentStatus.COMPLETED)
    for study, site, waiting in itertools.product((True, False), statuses, (True, False)):
        for rules in itertools.product(caps, repeat=len(LEVELS)):
            yield Case(study, site, dict(zip(LEVELS, rules, strict=True)), waiting)


class Stated:
    """The spots of one site."""

    def __init__(self, found: Remaining) -> None:
        self.found = found

    def remaining(self, _site: Site, /) -> Remaining:
        return self.found


def look_up(case: Case) -> MatchResult:
    (capacity,) = case.view().capacity(NOW)
    found = shown_remaining(case.site, capacity.as_remaining())
    placed = iter([Candidate(case.site, 12.0, 0.0)])
    return rank(make_place(), MatchPolicy(), NOW, placed=placed, unplaced=(), capacity=Stated(found))


def test_every_combination_is_left_out_for_what_really_stands_in_the_way() -> None:
    count = 0
    for case in cases():
        count += 1
        result, expected = look_up(case), case.expected()
        codes = {reason.code for item in result.excluded for reason in item.reasons}
        if case.site_status is not RecruitmentStatus.RECRUITING:
            # Its own status is the reason, whatever its caps: it is neither full nor closed by hand.
            assert codes == {ReasonCode.NOT_RECRUITING}, case
        elif expected is None:
            assert [match.site.site_id for match in result.matches] == ["one"], case
            assert not result.excluded, case
        else:
            first = result.excluded[0].reasons[0]
            assert not result.matches, case
            said = first.code if first.subject == "" else f"{first.subject}_{first.code}"
            assert said == expected, case
            is_waiting_offered = ReasonCode.WAITING_LIST in codes
            # If there never were spots, waiting makes no sense.
            assert is_waiting_offered == (case.waiting_list and expected.is_full), case
    assert count > 10_000


@pytest.mark.parametrize("level", CapLevel)
@pytest.mark.parametrize("code", [ReasonCode.FULL, ReasonCode.CLOSED, ReasonCode.NO_SPOTS])
def test_each_cause_has_words_of_its_own(code: ReasonCode, level: CapLevel) -> None:
    from sitematch.domain.finding.match import Reason

    texts = {
        explain(Reason(kind, subject=each), Unit.KM)
        for kind in (ReasonCode.FULL, ReasonCode.CLOSED, ReasonCode.NO_SPOTS)
        for each in CapLevel
    }

    assert len(texts) == 3 * len(CapLevel)
    assert explain(Reason(code, subject=level), Unit.KM) in texts


def test_a_closed_site_says_nothing_of_its_neighbours() -> None:
    here, there = CapKey(level=CapLevel.SITE, scope="one"), CapKey(level=CapLevel.STUDY)
    view = StudyView(
        study_id="NCT1",
        takes_patients=True,
        policy=SpotPolicy(),
        caps={there: CapRule(8), here: CapRule(None, is_closed=True)},
        sites=(SiteInView("one", "US", True), SiteInView("two", "US", True)),
        groups=(),
    )

    one, two = view.capacity(NOW)

    assert (one.shortage, one.remaining) == (Shortage.SITE_CLOSED, 0)
    assert (two.shortage, two.remaining) == (None, 8)

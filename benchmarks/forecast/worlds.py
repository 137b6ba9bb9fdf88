"""Worlds in which studies recruit, each simulated hold by hold; the forecast sees only what a ledger would have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.opening import HoldRecord, Opening, OpeningSource, opened_after
from sitematch.domain.capacity.recruitment import Attempt, Recruitment, SiteRecruitment
from sitematch.domain.capacity.states import EventKind

DAY = timedelta(days=1)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How a study recruits; the defaults are the model's own world.

    Parameters
    ----------
    shape
        The gamma's shape: how alike the sites are.
    opens_within
        Sites open at random within this share of the time so far; 0 is all at the start.
    slow_days
        How long a new site takes to reach its pace, rising evenly from nothing.
    a_year
        By what the pace is multiplied in a year.
    dip
        The pace in 30 days of each year; 1 is no dip.
    lag
        The days from a hold to its outcome: at least and at most.
    fails
        The share of holds that fail.
    """

    shape: float = 2.0
    opens_within: float = 0.0
    slow_days: float = 0.0
    a_year: float = 1.0
    dip: float = 1.0
    lag: tuple[float, float] = (0.0, 0.0)
    fails: float = 0.0


WORLDS: Mapping[str, World] = {
    "the model's own": World(),
    "few sites dominate": World(shape=0.4),
    "sites open one after another": World(opens_within=1.0),
    "screening takes 14 to 42 days, 30 % fail": World(lag=(14.0, 42.0), fails=0.3),
    "a dip of 30 days each year": World(dip=0.25),
    "slow start at each site": World(slow_days=180.0),
    "one after another and slow": World(opens_within=1.0, slow_days=120.0),
    "halving a year": World(a_year=0.5),
    "growing 1.7 times a year": World(a_year=1.7),
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """A study so far, and what then happened.

    Parameters
    ----------
    recruitment
        What the ledger has; without caps.
    days
        How far ahead to forecast.
    came
        For each site, the days from now on which somebody enrolled, in order, for a year and a half.
    """

    recruitment: Recruitment
    days: int
    came: tuple[tuple[float, ...], ...]

    @property
    def outcome(self) -> int:
        """Return how many enrolled in the days of the forecast."""
        return sum(at <= self.days for times in self.came for at in times)

    def capped(self, rng: np.random.Generator) -> Recruitment:
        """Return the recruitment with a cap for each site, that leaves it 1 to 10 spots."""
        caps = {
            CapKey(level=CapLevel.SITE, scope=site.site_id): site.enrolled + int(rng.integers(1, 11))
            for site in self.recruitment.sites
        }
        used = {CapKey(level=CapLevel.SITE, scope=site.site_id): site.participants for site in self.recruitment.sites}
        return replace(self.recruitment, caps=caps, participants=used)


_AHEAD = 540
"""How far a study is simulated, in days."""


def simulate(world: World, number: int, *, knows_openings: bool = False) -> Simulated:
    """Return a study of a world; the same number is the same study.

    Parameters
    ----------
    world
        The world.
    number
        Which study.
    knows_openings
        Whether coordinators recorded the opening days.
    """
    rng = np.random.default_rng((20261129, number))
    sites = int(rng.integers(10, 31))
    past, days = int(rng.integers(180, 421)), int(rng.integers(60, 241))
    mean = float(rng.uniform(0.015, 0.04))
    own = rng.gamma(world.shape, mean / world.shape, sites)
    opened = rng.uniform(0, past * world.opens_within, sites)
    day = np.arange(past + _AHEAD, dtype=np.float64) + 0.5
    pace = world.a_year ** ((day - past / 2) / 365)
    pace = np.where((day - rng.uniform(0, 365)) % 365 < 30, world.dip, 1.0) * pace
    recruited: list[tuple[str, float, list[float], list[tuple[float, float, bool]]]] = []
    for i in range(sites):
        age = day - opened[i]
        grown = np.clip(age / world.slow_days, 0, 1) if world.slow_days else np.ones_like(age)
        number_on = rng.poisson(np.where(age > 0, own[i] * grown * pace, 0.0))
        held = np.repeat(day - 0.5, number_on) + rng.random(int(number_on.sum()))
        held = np.maximum(held, opened[i])
        ended = held + rng.uniform(*world.lag, len(held))
        enrols = rng.random(len(held)) >= world.fails
        order = np.argsort(ended)
        came = [float(at) - past for at, yes in zip(ended[order], enrols[order], strict=True) if yes]
        tries = [(float(a), float(b), bool(c)) for a, b, c in zip(held, ended, enrols, strict=True) if a <= past]
        recruited.append((f"site-{i:02}", float(opened[i]), came, tries))
    return Simulated(
        recruitment=_seen(recruited, past, knows_openings=knows_openings),
        days=days,
        came=tuple(tuple(at for at in came if at > 0) for _, _, came, _ in recruited),
    )


def _seen(
    recruited: list[tuple[str, float, list[float], list[tuple[float, float, bool]]]], past: int, *, knows_openings: bool
) -> Recruitment:
    since = NOW - past * DAY
    holds = {
        name: HoldRecord(float(past), len(tries), min((at for at, _, _ in tries), default=None))
        for name, _, _, tries in recruited
    }
    after = opened_after(holds)
    sites: list[SiteRecruitment] = []
    attempts: list[Attempt] = []
    on: dict[date, int] = {}
    for name, opened, came, tries in recruited:
        start = since + (opened if knows_openings else after[name]) * DAY
        source = OpeningSource.COORDINATOR if knows_openings else OpeningSource.HOLDS
        times = tuple(NOW + at * DAY for at in came if at <= 0)
        under_way = sum(ended > past for _, ended, _ in tries)
        sites.append(
            SiteRecruitment(
                site_id=name,
                country="US",
                enrolled=len(times),
                participants=len(times),
                held=0,
                screening=under_way,
                open_spans=((start, NOW),),
                opening=Opening(on=start.date(), source=source),
                enrolled_at=times,
                takes_patients=True,
                was_used=bool(tries),
            )
        )
        for at in times:
            on[at.date()] = on.get(at.date(), 0) + 1
        for held, ended, enrols in tries:
            outcome = EventKind.SCREENING
            if ended <= past:
                outcome = EventKind.ENROLLED if enrols else EventKind.SCREEN_FAILED
            attempts.append(Attempt((min(ended, past) - held) * DAY, outcome))
    return Recruitment(
        study_id="NCT00000000",
        as_of=NOW,
        since=since,
        sites=tuple(sites),
        caps={},
        participants={},
        holds=len(attempts),
        screened=len(attempts),
        screen_failed=sum(each.outcome is EventKind.SCREEN_FAILED for each in attempts),
        enrolled_on=tuple(sorted(on.items())),
        attempts=tuple(attempts),
    )

"""The changes that a new record makes to a study and its sites, with ids kept and no counted site lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sitematch.domain.place import Place
from sitematch.domain.studies.design import NO_DESIGN
from sitematch.domain.studies.fixed_place import keep_fixed_place
from sitematch.domain.studies.identity import SiteIdentity, compact, pair_with_left_out
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.status_origin import STATUS_SILENT, StatusOrigin, kept_flag, status_origin
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelSupport

VANISHED = "No longer listed in the record of "
"""Beginning of the flag of a site that is missing from a record."""

_NOT_OVER = frozenset(
    {
        RecruitmentStatus.RECRUITING,
        RecruitmentStatus.ENROLLING_BY_INVITATION,
        RecruitmentStatus.AVAILABLE,
        RecruitmentStatus.NOT_YET_RECRUITING,
        RecruitmentStatus.SUSPENDED,
        RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE,
        RecruitmentStatus.UNKNOWN,
    }
)
"""Not known to have ended."""
_SPELLED = ("facility", "address", "city", "state", "postcode", "country")
_FIELDS = (*_SPELLED, "status")
_ALL_FIELDS = (*_FIELDS, "place", "travel", "time_reimbursement", "spots", "source_study", "as_of_on", "flags")
_STUDY_FIELDS = ("status", "title", "sponsor", "conditions", "interventions", "phases", "age_min_years",
                 "age_max_years", "sex")  # fmt: skip


class ChangeKind(StrEnum):
    """Kinds of changes to a site."""

    ADDED = "added"
    CHANGED = "changed"
    """A detail changed; also if the site takes patients again."""
    RESPELLED = "respelled"
    """The same letters and digits in another spelling."""
    CLOSED = "closed"
    """Its status changed to one that is closed to new patients."""
    VANISHED = "vanished"
    """It is missing from the record. It is closed and kept, because its participants still count."""
    RETURNED = "returned"
    """It had vanished and is listed again."""
    REMOVED = "removed"
    """A stand-in that real sites replace."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One changed field.

    Parameters
    ----------
    field
        Name of the field.
    old, new
        Its old and new value as text; empty for none.
    """

    field: str
    old: str
    new: str

    @property
    def is_respelling(self) -> bool:
        """Whether both have the same letters and digits."""
        return self.field in _SPELLED and compact(self.old) == compact(self.new)


@dataclass(frozen=True, slots=True)
class SiteChange:
    """The change of one site.

    Parameters
    ----------
    kind
        See `ChangeKind`.
    site_id
        The site.
    label
        Facility, town and country.
    fields
        What changed, in the order of a site's columns; empty for sites that are added or removed.
    """

    kind: ChangeKind
    site_id: str
    label: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Sites that change in the same way.

    Parameters
    ----------
    kind
        The kind of change.
    fields
        The names of the fields that change, in the order of a site's columns; empty for added or removed sites.
    status
        The new status, if it is among them; empty otherwise.
    sites
        The sites, in the order of the record.
    """

    kind: ChangeKind
    fields: tuple[str, ...]
    status: str
    sites: tuple[SiteChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyChange:
    """The changes that a new record makes to a study.

    Parameters
    ----------
    study_id
        The study.
    is_new
        Whether it was missing from the catalogue.
    fields
        The changed fields of the study itself.
    sites
        Sites that change, in the new record's order; sites that are removed come last.
    unchanged
        The number of unchanged sites.
    """

    study_id: str
    is_new: bool
    fields: tuple[FieldChange, ...]
    sites: tuple[SiteChange, ...]
    unchanged: int

    def counts(self) -> Counter[ChangeKind]:
        """Count the sites' changes by kind."""
        return Counter(change.kind for change in self.sites)

    def groups(self) -> tuple[ChangeGroup, ...]:
        """Return the sites in groups that change in the same way: the rarest first, because nobody expects them.

        Examples
        --------
        >>> moved = FieldChange("status", "RECRUITING", "COMPLETED")
        >>> sites = [SiteChange(ChangeKind.CLOSED, name, name, (moved,)) for name in "ab"]
        >>> sites.append(SiteChange(ChangeKind.ADDED, "c", "c"))
        >>> change = StudyChange(study_id="x", is_new=False, fields=(), sites=tuple(sites), unchanged=0)
        >>> [(group.kind.value, group.status, len(group.sites)) for group in change.groups()]
        [('added', '', 1), ('closed', 'COMPLETED', 2)]
        """
        alike: dict[tuple[ChangeKind, tuple[str, ...], str], list[SiteChange]] = {}
        for site in self.sites:
            status = next((field.new for field in site.fields if field.field == "status"), "")
            key = (site.kind, tuple(field.field for field in site.fields), status)
            alike.setdefault(key, []).append(site)
        found = (ChangeGroup(*key, tuple(sites)) for key, sites in alike.items())
        return tuple(sorted(found, key=lambda group: len(group.sites)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes, except perhaps the date of the details."""
        return not (self.is_new or self.fields or self.sites)


@dataclass(frozen=True, slots=True)
class RevisedSites:
    """A study's sites after a new record.

    Parameters
    ----------
    sites
        All of them, in the new record's order; sites that are missing from it come last.
    changes
        The changes.
    unchanged
        The number of unchanged sites.
    held_back
        How many of them are unchanged only because the row that names them could not be used.
    """

    sites: tuple[Site, ...]
    changes: tuple[SiteChange, ...]
    unchanged: int
    held_back: int = 0


def revise_sites(
    study: Study,
    old: Sequence[Site],
    new: Sequence[Site],
    *,
    in_use: frozenset[str],
    left_out: Sequence[SiteIdentity] = (),
) -> RevisedSites:
    """Merge a new record's sites into the catalogue's: a place keeps its id and the values that coordinators set.

    Parameters
    ----------
    study
        The study, dated by the new record.
    old
        The catalogue's sites of the study, stand-ins and vanished ones too.
    new
        The record's sites with locations; their ids are ignored.
    in_use
        Ids of sites with referrals: such a stand-in is closed instead of removed.
    left_out
        The identifying values of unusable rows of the record; see `sitematch.domain.studies.identity.held_back`. Their
        sites do not change.

    Returns
    -------
    Revised
        Travel support, reimbursement and spots do not change, because registries do not have them. A status from an
        earlier record also stays if the new record has none. New sites get the numbers after the highest one that was
        ever used.
    """
    listed = [site for site in old if not site.is_stand_in]
    at_home, arriving = [_whereabouts(site) for site in listed], [_whereabouts(site) for site in new]
    pairs, held = pair_with_left_out(at_home, arriving, left_out)
    number = max((_number(site.site_id) for site in old), default=0)
    sites: list[Site] = []
    changes: list[SiteChange] = []
    for position, site in enumerate(new):
        if position in pairs:
            before = listed[pairs[position]]
            after = _carried(before, site)
            change = _compare(before, after)
        else:
            number += 1
            after = replace(site, site_id=f"{study.study_id}-{number:03d}")
            change = SiteChange(ChangeKind.ADDED, after.site_id, _label(after))
        sites.append(after)
        if change is not None:
            changes.append(change)
    paired = set(pairs.values())
    sites += [site for position, site in enumerate(listed) if position in held]
    gone = [site for position, site in enumerate(listed) if position not in paired | held]
    stand_ins = [site for site in old if site.is_stand_in]
    if left_out and not new:  # there are no real sites that could replace stand-ins
        sites += stand_ins
        stand_ins = []
    _let_go((*gone, *stand_ins), study, in_use, sites, changes)
    return _revised(sites, changes, held_back=len(held))


def take_sites(
    study: Study, old: Sequence[Site], new: Sequence[Site], *, in_use: frozenset[str], is_whole: bool
) -> RevisedSites:
    """Use the given sites unchanged, each with its own id.

    Parameters
    ----------
    study
        The study that they belong to.
    old
        The catalogue's sites of the study.
    new
        The given ones.
    in_use
        See `revise_sites`.
    is_whole
        Whether these are all of the study's sites. If so, missing sites vanish, as in `revise_sites`, and the new order
        applies. Otherwise they stay unchanged and in place, and new sites come last.
    """
    before = {site.site_id: site for site in old}
    given = {site.site_id: site for site in new}
    changes: list[SiteChange] = []
    for site in new:
        known = before.get(site.site_id)
        if known is None:
            changes.append(SiteChange(ChangeKind.ADDED, site.site_id, _label(site)))
        elif known != site:
            changes.append(_change(known, site, _ALL_FIELDS))
    if not is_whole:
        sites = [given.get(site.site_id, site) for site in old]
        sites += [site for site in new if site.site_id not in before]
        return _revised(sites, changes)
    sites = list(new)
    _let_go([site for site in old if site.site_id not in given], study, in_use, sites, changes)
    return _revised(sites, changes)


def _let_go(
    gone: Sequence[Site], study: Study, in_use: frozenset[str], sites: list[Site], changes: list[SiteChange]
) -> None:
    """Close sites that are no longer listed; remove stand-ins without referrals."""
    for site in gone:
        if site.is_stand_in and site.site_id not in in_use:
            changes.append(SiteChange(ChangeKind.REMOVED, site.site_id, _label(site)))
            continue
        after = _closed(site, study)
        sites.append(after)
        if after is not site:
            changes.append(SiteChange(ChangeKind.VANISHED, site.site_id, _label(site), _differences(site, after)))


def _revised(sites: Sequence[Site], changes: Sequence[SiteChange], held_back: int = 0) -> RevisedSites:
    changed = sum(change.kind is not ChangeKind.REMOVED for change in changes)
    return RevisedSites(tuple(sites), tuple(changes), len(sites) - changed, held_back)


def compare_studies(old: Study | None, new: Study, *, all_fields: bool = False) -> tuple[FieldChange, ...]:
    """Return the changed fields of a study itself: those that a registry has, or all; none for a new study."""
    if old is None:
        return ()
    return tuple(
        FieldChange(name, _text(getattr(old, name)), _text(getattr(new, name)))
        for name in (Study.__slots__ if all_fields else _STUDY_FIELDS)
        if getattr(old, name) != getattr(new, name)
    )


def merge_study(
    old: Study | None, new: Study, *, was_imported: bool, had_stand_ins: bool, states_status: bool = True
) -> Study:
    """Merge a new record's details of a study into the catalogue's.

    Parameters
    ----------
    old
        The study in the catalogue; None if it is new.
    new
        The record's.
    was_imported
        Whether `old` came from an import; if not, its title and summary are kept, because a person wrote them in plain
        words.
    had_stand_ins
        Whether its sites were stand-ins; the notice about them is then removed.
    states_status
        Whether the record has a known status; otherwise the old one is kept.

    Returns
    -------
    Study
        With the record's status, dates and design. Spots, travel support, reimbursement, timeline and criteria in plain
        words stay, because registries do not have them; `history` says how old they are.
    """
    if old is None:
        return new
    history = old.history
    if old.pool_spots is not None and old.as_of_on != new.as_of_on and not any("spots stated" in h for h in history):
        history = (*history, f"The {old.pool_spots} spots stated here are as of {old.as_of_on}, from {old.source}.")
    return replace(
        new,
        status=new.status if states_status else old.status,
        title=new.title if was_imported else old.title,
        summary=new.summary or old.summary if was_imported else old.summary or new.summary,
        interventions=new.interventions or old.interventions,
        other_ids=tuple(dict.fromkeys((*new.other_ids, *old.other_ids))),
        has_placebo=old.has_placebo if new.has_placebo is None and new.design == NO_DESIGN else new.has_placebo,
        design=old.design if new.design == NO_DESIGN else new.design,
        pool_spots=old.pool_spots,
        travel=old.travel,
        time_reimbursement=old.time_reimbursement,
        timeline=old.timeline,
        who=old.who,
        who_not=old.who_not,
        notice="" if had_stand_ins else old.notice,
        history=history,
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Place):
        point = value.coordinates
        return f"{point.latitude}, {point.longitude} ± {value.uncertainty_km} km ({value.source})"
    if isinstance(value, TravelSupport):
        return " ".join((value.certainty, *value.kinds))
    return "" if value is None else str(value)


def _whereabouts(site: Site) -> SiteIdentity:
    return SiteIdentity(site.facility, site.city, site.postcode, site.country, site.address)


def _number(site_id: str) -> int:
    tail = site_id.rpartition("-")[2]
    return int(tail) if tail.isdecimal() and len(tail) < 10 else 0


def _label(site: Site) -> str:
    return f"{site.facility}, {site.city}, {site.country}"


def _carried(before: Site, after: Site) -> Site:
    keeps = (StatusOrigin.STATED, StatusOrigin.ASSUMED, StatusOrigin.KEPT)
    if STATUS_SILENT in after.flags and status_origin(before) in keeps and not has_vanished(before):
        flags = tuple(kept_flag(before) if flag == STATUS_SILENT else flag for flag in after.flags)
        after = replace(after, status=before.status, flags=flags)
    return replace(
        keep_fixed_place(before, after),
        site_id=before.site_id,
        address=after.address or before.address,
        opened_on=after.opened_on or before.opened_on,
        travel=before.travel,
        time_reimbursement=before.time_reimbursement,
        spots=before.spots,
    )


def has_vanished(site: Site) -> bool:
    """Return whether a site was closed because it is missing from a record."""
    return any(flag.startswith(VANISHED) for flag in site.flags)


def _compare(before: Site, after: Site) -> SiteChange | None:
    if not has_vanished(before) and not _differences(before, after):
        return None
    return _change(before, after, _FIELDS)


def _change(before: Site, after: Site, names: Sequence[str]) -> SiteChange:
    """Return the change of a site that stays."""
    fields = _differences(before, after, names)
    if has_vanished(before) and not has_vanished(after):
        kind = ChangeKind.RETURNED
    elif all(field.is_respelling for field in fields):
        kind = ChangeKind.RESPELLED
    elif before.status in _NOT_OVER and after.status not in _NOT_OVER:
        kind = ChangeKind.CLOSED
    else:
        kind = ChangeKind.CHANGED
    return SiteChange(kind, after.site_id, _label(after), fields)


def _differences(before: Site, after: Site, names: Sequence[str] = _FIELDS) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, _text(getattr(before, name)), _text(getattr(after, name)))
        for name in names
        if getattr(before, name) != getattr(after, name)
    )


def _closed(site: Site, study: Study) -> Site:
    """Close a site that is missing from the record; a site that was already closed for this reason does not change."""
    if has_vanished(site):
        return site
    never_began = site.status is RecruitmentStatus.NOT_YET_RECRUITING
    status = site.status
    if status in _NOT_OVER:
        status = RecruitmentStatus.WITHDRAWN if never_began else RecruitmentStatus.ACTIVE_NOT_RECRUITING
    flag = f"{VANISHED}{study.as_of_on.isoformat()}: closed, and kept because its participants still count."
    return replace(site, status=status, as_of_on=study.as_of_on, flags=(*site.flags, flag))

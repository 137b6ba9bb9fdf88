"""Texts about a study's design and who can take part, in whole sentences and based only on its record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from babel import units

from api.pages.languages import current_language, ngettext
from api.pages.languages import gettext as _
from sitematch.domain.studies.design import Arm, ArmKind
from sitematch.domain.studies.study import Study

_AGE = re.compile(r"(\d{1,4}) (Year|Month|Week|Day|Hour|Minute)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of participants: its name, and a description, which is empty if the record has none."""

    name: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """The texts about a study.

    Parameters
    ----------
    kind
        Its kind, if it is not a trial of a treatment.
    placebo
        Whether a placebo is given; empty if this does not apply.
    groups_text
        How participants are assigned to groups, one sentence each.
    groups
        The groups, in the record's order.
    who
        Ages and sex, one sentence each; empty if nothing is stated.
    """

    kind: str
    placebo: str
    groups_text: tuple[str, ...]
    groups: tuple[Group, ...]
    who: tuple[str, ...]


def study_facts(study: Study) -> StudyFacts:
    """Return the texts about a study from its record.

    Parameters
    ----------
    study
        The study.
    """
    design = study.design
    kinds: Mapping[str, str] = {
        "OBSERVATIONAL": _("This study observes people. It does not decide what treatment they receive."),
        "EXPANDED_ACCESS": _("This is not a trial. It gives access to a treatment outside of a trial."),
    }
    kind = kinds.get(design.study_type, "")
    return StudyFacts(
        kind=kind,
        placebo="" if kind else _placebo(study),
        groups_text=_groups_text(study),
        groups=tuple(Group(arm.name, _about(arm)) for arm in design.arms if arm.name),
        who=_who(study),
    )


def _placebo(study: Study) -> str:
    design = study.design
    if study.has_placebo is None:
        return _("Whether there is a placebo group is not known here: ask the clinic.")
    if not study.has_placebo:
        return _("There is no placebo group.")
    kinds = {arm.kind for arm in design.arms}
    if design.arms and ArmKind.PLACEBO_COMPARATOR not in kinds:
        if ArmKind.SHAM_COMPARATOR in kinds:
            return _("There is a group that receives a sham: it looks like the treatment, but is not.")
        return _("A placebo or a sham is used in this study.")
    if design.model == "CROSSOVER":
        return _("A placebo or a sham is used in this study.")
    return _("There is a placebo group.")


def _groups_text(study: Study) -> tuple[str, ...]:
    design, said = study.design, []
    count = len(design.arms)
    if count:
        said.append(ngettext("The record names %(num)s group.", "The record names %(num)s groups.", count))
    if design.study_type in ("OBSERVATIONAL", "EXPANDED_ACCESS"):
        return tuple(said)
    if count > 1 and design.allocation == "RANDOMIZED":
        said.append(_("Chance decides who is in which group."))
    elif count > 1 and design.allocation == "NON_RANDOMIZED":
        said.append(_("It is not chance that decides who is in which group."))
    if design.model == "CROSSOVER":
        said.append(_("Participants receive more than one of the treatments, one after another."))
    if count > 1 and design.masking == "NONE":
        said.append(_("Who is in which group is not kept secret."))
    elif count > 1 and "PARTICIPANT" in design.who_masked:
        said.append(_("Participants are not told which group they are in."))
    elif count > 1 and design.masking not in ("", "NONE"):
        said.append(_("Some of the people involved are not told who is in which group."))
    return tuple(said)


def _about(arm: Arm) -> str:
    kinds = {
        ArmKind.EXPERIMENTAL: _("what is being tested"),
        ArmKind.ACTIVE_COMPARATOR: _("something to compare with"),
        ArmKind.PLACEBO_COMPARATOR: _("a placebo to compare with"),
        ArmKind.SHAM_COMPARATOR: _("a sham to compare with"),
        ArmKind.NO_INTERVENTION: _("no treatment by the study"),
    }
    return "; ".join(filter(None, (kinds.get(arm.kind, ""), ", ".join(arm.interventions))))


def _who(study: Study) -> tuple[str, ...]:
    design, said = study.design, []
    has_bounds = study.age_min_years is not None or study.age_max_years is not None
    least, most = _age(design.age_min, study.age_min_years), _age(design.age_max, study.age_max_years)
    if least and most:
        said.append(_("From %(least)s to %(most)s old.", least=least, most=most))
    elif study.age_min_years is not None and not _odd(design.age_min):
        said.append(_("%(least)s years or older.", least=study.age_min_years))
    elif least:
        said.append(_("%(least)s or older.", least=least))
    elif study.age_max_years is not None and not _odd(design.age_max):
        said.append(_("%(most)s years or younger.", most=study.age_max_years))
    elif most:
        said.append(_("%(most)s or younger.", most=most))
    elif design.states_who:
        said.append(_("Any age."))
    if study.sex == "FEMALE":
        said.append(_("Women only."))
    elif study.sex == "MALE":
        said.append(_("Men only."))
    elif design.states_who or has_bounds:
        said.append(_("Any sex."))
    return tuple(said)


def _odd(text: str) -> bool:
    """Return whether an age has another unit than years."""
    found = _AGE.fullmatch(text)
    return found is not None and found[2].lower() != "year"


def _age(text: str, years: int | None) -> str:
    """Format an age in the page's language; empty if there is none."""
    found = _AGE.fullmatch(text)
    if found is None:
        return "" if years is None else _length_of_life(years, "year")
    return _length_of_life(int(found[1]), found[2].lower())


def _length_of_life(value: int, unit: str) -> str:
    return str(units.format_unit(value, f"duration-{unit}", length="long", locale=current_language().locale))

"""The design of a study: only what its record says about arms, allocation and masking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_PRETENDED = re.compile(r"\b(?:placebos?|sham|dummy|vehicle)\b")
"""Words for placebo or sham treatments in the names of arms and interventions."""

_DENIED = re.compile(r"\b(?:no|non|not|without)[ -](?:a )?(?:placebo|sham|dummy|vehicle)\b|\bplacebo-free\b")


class ArmKind(StrEnum):
    """Kinds of arm, with ClinicalTrials.gov's terms; UNKNOWN if the record does not say."""

    EXPERIMENTAL = "EXPERIMENTAL"
    ACTIVE_COMPARATOR = "ACTIVE_COMPARATOR"
    PLACEBO_COMPARATOR = "PLACEBO_COMPARATOR"
    SHAM_COMPARATOR = "SHAM_COMPARATOR"
    NO_INTERVENTION = "NO_INTERVENTION"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A group of participants.

    Parameters
    ----------
    name
        Its name in the record.
    kind
        See `ArmKind`.
    interventions
        What its participants receive, with the names in the record; empty if not stated.
    """

    name: str
    kind: ArmKind = ArmKind.UNKNOWN
    interventions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDesign:
    """A study's design; every text is a ClinicalTrials.gov code, empty if the record does not say.

    Parameters
    ----------
    study_type
        ``"INTERVENTIONAL"``, ``"OBSERVATIONAL"`` or ``"EXPANDED_ACCESS"``.
    allocation
        ``"RANDOMIZED"`` or ``"NON_RANDOMIZED"``: whether chance decides who is in which arm.
    model
        ``"SINGLE_GROUP"``, ``"PARALLEL"``, ``"CROSSOVER"``, ``"FACTORIAL"`` or ``"SEQUENTIAL"``.
    masking
        ``"NONE"``, ``"SINGLE"``, ``"DOUBLE"``, ``"TRIPLE"`` or ``"QUADRUPLE"``: how many groups of people do not know
        the arm.
    who_masked
        Those groups: ``"PARTICIPANT"``, ``"CARE_PROVIDER"``, ``"INVESTIGATOR"``, ``"OUTCOMES_ASSESSOR"``.
    arms
        In the record's order.
    interventions
        Names of all interventions, in any arm.
    age_min, age_max
        As the record writes them, e.g. ``"8 Months"``.
    states_who
        Whether the record states who can take part. If so, a missing age limit means that there is none.
    """

    study_type: str = ""
    allocation: str = ""
    model: str = ""
    masking: str = ""
    who_masked: tuple[str, ...] = ()
    arms: tuple[Arm, ...] = ()
    interventions: tuple[str, ...] = ()
    age_min: str = ""
    age_max: str = ""
    states_who: bool = False


NO_DESIGN = TrialDesign()
"""The design of a study whose record has no information about it."""


def has_placebo(design: TrialDesign) -> bool | None:
    """Return whether a study uses a placebo or sham treatment, if its record says so.

    Returns
    -------
    bool or None
        True if an arm is a placebo or sham comparator, or the name of an arm or intervention says so. False only if the
        record lists arms, none of them is or may be such an arm, and nothing is masked. Otherwise None: unknown.

    Examples
    --------
    >>> arm = Arm(name="Drug", kind=ArmKind.EXPERIMENTAL)
    >>> has_placebo(TrialDesign(arms=(arm,), masking="NONE")), has_placebo(TrialDesign(arms=(arm,), masking="DOUBLE"))
    (False, None)
    """
    named = (*(arm.name for arm in design.arms), *design.interventions)
    named = (*named, *(name for arm in design.arms for name in arm.interventions))
    if any(arm.kind in (ArmKind.PLACEBO_COMPARATOR, ArmKind.SHAM_COMPARATOR) for arm in design.arms):
        return True
    if any(_names_placebo(name) for name in named):
        return True
    kinds = {arm.kind for arm in design.arms}
    is_open = design.masking == "NONE" and design.study_type in ("", "INTERVENTIONAL")
    return False if is_open and kinds and ArmKind.UNKNOWN not in kinds else None


def _names_placebo(name: str) -> bool:
    text = name.casefold()
    return _PRETENDED.search(text) is not None and _DENIED.search(text) is None

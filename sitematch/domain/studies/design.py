"""How a study is built: what its record says of arms, chance and masking, and nothing more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_PRETENDED = re.compile(r"\b(?:placebos?|sham|dummy|vehicle)\b")
"""Words for what only looks like the treatment, in the names of arms and interventions."""

_DENIED = re.compile(r"\b(?:no|non|not|without)[ -](?:a )?(?:placebo|sham|dummy|vehicle)\b|\bplacebo-free\b")


class ArmKind(StrEnum):
    """What an arm is, in ClinicalTrials.gov's words; UNKNOWN where the record does not say."""

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
        As the record calls it.
    kind
        See `ArmKind`.
    interventions
        What its participants receive, by the record's names; empty if it does not say.
    """

    name: str
    kind: ArmKind = ArmKind.UNKNOWN
    interventions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDesign:
    """A study's design; every text is ClinicalTrials.gov's code, empty where the record does not say.

    Parameters
    ----------
    study_type
        ``"INTERVENTIONAL"``, ``"OBSERVATIONAL"`` or ``"EXPANDED_ACCESS"``.
    allocation
        ``"RANDOMIZED"`` or ``"NON_RANDOMIZED"``: whether chance decides who is in which arm.
    model
        ``"SINGLE_GROUP"``, ``"PARALLEL"``, ``"CROSSOVER"``, ``"FACTORIAL"`` or ``"SEQUENTIAL"``.
    masking
        ``"NONE"``, ``"SINGLE"``, ``"DOUBLE"``, ``"TRIPLE"`` or ``"QUADRUPLE"``: how many kinds of people do not know.
    who_masked
        Who they are: ``"PARTICIPANT"``, ``"CARE_PROVIDER"``, ``"INVESTIGATOR"``, ``"OUTCOMES_ASSESSOR"``.
    arms
        In the record's order.
    interventions
        Names of all interventions, whichever arm they belong to.
    age_min, age_max
        As the record writes them, e.g. ``"8 Months"``.
    states_who
        Whether the record states whom it takes, so that no bound of age means that there is none.
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
"""Of a study whose record says nothing of its design."""


def has_placebo(design: TrialDesign) -> bool | None:
    """Tell whether a study gives a placebo or a sham, as far as its record says so.

    Returns
    -------
    bool or None
        True if an arm is a placebo or sham comparator, or an arm or intervention is called so. False only if the record
        lists arms, none of them is or may be one, and nothing is masked. None otherwise: it is not known.

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

"""The table of states is complete, and everything derived from it agrees."""

from __future__ import annotations

from collections import deque

import pytest

from api.console.page import labels
from sitematch.cli.capacity.referral import referral_group
from sitematch.domain.capacity.spot import SpotPolicy, allowed_in
from sitematch.domain.capacity.states import (
    ACTIONS,
    ASKED_FIRST,
    BY_POLICY,
    CAP_KINDS,
    ENDED,
    ENTRY,
    GIVES_BACK_BY_DEFAULT,
    LAPSING_KINDS,
    MOVES,
    PARTICIPANTS,
    REFERRAL_KINDS,
    SETTING_KINDS,
    SITE_KINDS,
    SPOT_KINDS,
    STANDS_AS,
    STATES,
    UNDER_WAY,
    Action,
    EventKind,
    Figure,
    Outcome,
    SpotState,
    SpotUse,
    event_of,
    standing,
    state_of,
    states_with,
)
from sitematch.reports import capacity, funnel_tally


def test_every_state_and_action_has_a_line() -> None:
    assert set(STATES) == set(SpotState)
    assert set(ACTIONS) == set(Action)


@pytest.mark.parametrize("state", SpotState)
def test_a_state_is_what_its_event_leads_to(state: SpotState) -> None:
    facts = STATES[state]

    assert state_of(facts.event, has_lapsed=facts.has_lapsed) is state


def test_every_state_can_be_reached_by_actions_offers_and_lapsing() -> None:
    reached: set[SpotState] = set()
    waiting = deque([SpotState.HELD, SpotState.WAITING])
    assert {ACTIONS[action].event for action in ENTRY} == {EventKind.HELD, EventKind.WAITING}
    while waiting:
        state = waiting.popleft()
        if state in reached:
            continue
        reached.add(state)
        kind = STATES[state].event
        following = {event_of(action, state) for action in allowed_in(state)}
        if kind is EventKind.WAITING:
            following.add(EventKind.OFFERED)  # by a spot that is freed, not by an action
        waiting.extend(state_of(event, has_lapsed=lapsed) for event in {kind, *following} for lapsed in (False, True))

    assert reached == set(SpotState)


def test_every_event_is_about_a_referral_a_rule_or_a_site() -> None:
    groups = [set(REFERRAL_KINDS), set(SETTING_KINDS), set(SITE_KINDS)]

    assert set.union(*groups) == set(EventKind)
    assert sum(map(len, groups)) == len(EventKind)
    assert set(CAP_KINDS) < set(SETTING_KINDS)
    assert set(SPOT_KINDS) | {EventKind.WAITING, EventKind.RELEASED} | set(STANDS_AS) == set(REFERRAL_KINDS)


@pytest.mark.parametrize("kind", STANDS_AS)
def test_event_that_stands_for_another_leads_to_its_state_and_is_written_by_an_action(kind: EventKind) -> None:
    stands_as = STANDS_AS[kind]

    assert standing(stands_as) is stands_as
    for has_lapsed in (False, True):
        assert state_of(kind, has_lapsed=has_lapsed) is state_of(stands_as, has_lapsed=has_lapsed)
    assert (kind in LAPSING_KINDS) == (stands_as in LAPSING_KINDS)
    assert kind in {event_of(action, state) for state, facts in STATES.items() for action in facts.allows - ENTRY}


@pytest.mark.parametrize("state", SpotState)
def test_a_correction_goes_back_to_a_state_from_which_the_step_was_possible(state: SpotState) -> None:
    facts = STATES[state]
    if Action.CORRECT not in facts.allows:
        assert facts.corrected is None
        return

    before = state_of(event_of(Action.CORRECT, state), has_lapsed=False)

    assert facts.event in {event_of(action, before) for action in STATES[before].allows - ENTRY}


@pytest.mark.parametrize(("action", "state"), [(action, state) for action in MOVES for state in SpotState])
def test_action_has_an_event_exactly_in_the_states_that_allow_it(action: Action, state: SpotState) -> None:
    depends = ACTIONS[action].event is None
    if action in STATES[state].allows:
        assert event_of(action, state) in REFERRAL_KINDS
    elif depends:
        with pytest.raises(KeyError):
            event_of(action, state)


@pytest.mark.parametrize("state", SpotState)
def test_only_what_may_have_a_spot_takes_one_under_any_policy(state: SpotState) -> None:
    policies = [SpotPolicy(gives_back=frozenset(kept)) for kept in ((), BY_POLICY, GIVES_BACK_BY_DEFAULT)]

    taken = {policy.takes_spot(state) for policy in policies}

    use = STATES[state].spot
    assert taken == {SpotUse.ALWAYS: {True}, SpotUse.NEVER: {False}}.get(use, {True, False})
    if True in taken:
        assert STATES[state].event in SPOT_KINDS


def test_what_lapses_takes_no_spot_and_may_begin_again() -> None:
    for state, facts in STATES.items():
        if facts.has_lapsed:
            assert facts.event in LAPSING_KINDS
            assert facts.spot is SpotUse.NEVER
            assert state in ENDED


def test_ended_attempts_and_those_under_way_are_told_apart() -> None:
    assert {SpotState.EXPIRED, SpotState.OFFER_LAPSED, SpotState.RELEASED, SpotState.SCREEN_FAILED} == ENDED
    assert {SpotState.OFFERED, SpotState.HELD, SpotState.SCREENING} == UNDER_WAY
    assert {SpotState.ENROLLED, SpotState.WITHDRAWN} == PARTICIPANTS
    assert not ENDED & UNDER_WAY


@pytest.mark.parametrize("figure", Figure)
def test_every_figure_counts_some_state_and_is_a_column_of_the_capacity_report(figure: Figure) -> None:
    assert states_with(figure)
    assert figure.value in {column.name for column in capacity._COLUMNS}


def test_every_state_with_a_site_is_counted_by_one_figure() -> None:
    counted = [state for figure in Figure for state in states_with(figure)]

    assert sorted(counted) == sorted(state for state in SpotState if state is not SpotState.WAITING)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_counted_by_the_funnel(outcome: Outcome) -> None:
    assert outcome in {facts.outcome for facts in STATES.values()}
    assert outcome.value in {count.name for count in funnel_tally.COUNTS}


@pytest.mark.parametrize("action", MOVES)
def test_every_move_has_a_command_an_address_and_a_sentence(action: Action) -> None:
    facts = ACTIONS[action]

    assert facts.command in referral_group.commands
    assert facts.path
    assert facts.text.endswith(".")
    assert any(action in STATES[state].allows for state in SpotState)


def test_moves_do_not_share_a_command_or_an_address() -> None:
    assert len({ACTIONS[action].command for action in MOVES}) == len(MOVES)
    assert len({ACTIONS[action].path for action in MOVES}) == len(MOVES)


def test_what_gives_a_spot_back_or_ends_a_stay_asks_first() -> None:
    assert {
        *(Action.ENROLL, Action.SCREEN_FAILURE, Action.WITHDRAW, Action.RELEASE),
        *(Action.TRANSFER, Action.CORRECT),
    } == ASKED_FIRST
    assert all(action in ASKED_FIRST for action in MOVES if ACTIONS[action].reasons)


def test_every_correction_has_a_label_and_giving_back_is_called_what_it_does() -> None:
    for state, facts in STATES.items():
        assert (Action.CORRECT in facts.allows) == (state in labels.CORRECTIONS)
    assert labels.action_label(Action.RELEASE, SpotState.WAITING) == "Leave the waiting list"
    assert labels.action_label(Action.RELEASE, SpotState.OFFERED) == "Decline the offer"
    assert labels.action_label(Action.RELEASE, SpotState.HELD) == "Give the spot back"


def test_the_console_has_a_label_for_every_state_action_event_and_reason() -> None:
    assert set(labels.STATES) == set(SpotState)
    assert set(labels.ACTIONS) == set(Action)
    assert set(labels.EVENTS) == set(EventKind)
    for action in MOVES:
        for reason in ACTIONS[action].reasons or ():
            assert reason.value in labels.REASONS

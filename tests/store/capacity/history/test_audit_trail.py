from __future__ import annotations

from datetime import timedelta

import pytest

from sitematch.domain.accounts.access import Permission
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.store import migrate
from sitematch.store.accounts import accounts, tokens
from sitematch.store.capacity import counting, travel_support
from sitematch.store.capacity.history import audit, audit_trail, portable
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue
from tests.store.builders import NOW, STUDY_ID, Coordinator, country_key, make_caller, make_site, make_study, site_key

COVERED = TravelSupport(certainty=TravelCertainty.COVERED, kinds=(TravelKind.MEALS, TravelKind.MILEAGE))


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    return Coordinator(store, sites=[make_site("site-1"), make_site("site-2", country="DE")])


def set_travel(
    coordinator: Coordinator, support: TravelSupport = COVERED, site_id: str = "site-1", words: str = "", **how: object
):  # type: ignore[no-untyped-def]
    caller = make_caller(**how)  # type: ignore[arg-type]
    return travel_support.set_travel(
        coordinator.store,
        caller,
        study_id=STUDY_ID,
        site_id=site_id,
        travel=support,
        time_reimbursement=words,
        now=coordinator.now,
    )


def kinds(coordinator: Coordinator, site_id: str = "site-1", country: str = "US", **how: object) -> list[str]:
    found = audit_trail.site_trail(coordinator.store, STUDY_ID, site_id, country, **{"limit": 100, **how})  # type: ignore[arg-type]
    return [event.kind.value for event in found]


def test_trail_of_a_site_has_its_referrals_and_every_rule_that_binds_it_the_latest_first(
    coordinator: Coordinator,
) -> None:
    coordinator.cap(8)
    coordinator.cap(3, country_key("US"))
    coordinator.cap(4, country_key("DE"))
    coordinator.close(site_key("site-2"))
    coordinator.cap(2, site_key("site-1"))
    coordinator.hold("r-1")
    coordinator.policy(waiting_list=False)

    assert kinds(coordinator) == ["POLICY_SET", "HELD", "CAP_SET", "CAP_SET", "CAP_SET"]
    assert kinds(coordinator, "site-2", "DE") == ["POLICY_SET", "CLOSED", "CAP_SET", "CAP_SET"]


def test_trail_comes_in_pages(coordinator: Coordinator) -> None:
    for number in range(5):
        coordinator.hold(f"r-{number}")
    first = audit_trail.site_trail(coordinator.store, STUDY_ID, "site-1", "US", limit=3)

    rest = audit_trail.site_trail(coordinator.store, STUDY_ID, "site-1", "US", limit=3, before_seq=first[-1].seq)

    assert [event.referral_id for event in (*first, *rest)] == ["r-4", "r-3", "r-2", "r-1", "r-0"]


def test_oldest_hold_that_counts_is_found_by_site(coordinator: Coordinator) -> None:
    coordinator.hold("r-lapsed", hold_for=timedelta(minutes=30))
    coordinator.later(hours=1)
    coordinator.hold("r-old")
    since = coordinator.now
    coordinator.later(hours=1)
    coordinator.hold("r-new")
    coordinator.hold("r-screened", "site-2")
    coordinator.screen("r-screened")

    assert audit_trail.oldest_holds(coordinator.store, STUDY_ID, coordinator.now) == {"site-1": since}


def test_actors_are_named_by_e_mail_and_by_label_with_owner_and_the_unknown_left_out(store: Store) -> None:
    account_id = accounts.create_account(store, email="ann@example.org", now=NOW).account_id
    made = tokens.create_token(
        store, account_id=account_id, label="booking", scopes=frozenset(Permission),
        expires_at=NOW + timedelta(days=1), now=NOW,
    )  # fmt: skip
    ids = [f"user:{account_id}", f"token:{made.token.token_id}", "user:gone", "cli:root", "system:sweep"]

    assert audit_trail.actor_names(store, ids) == {ids[0]: "ann@example.org", ids[1]: "booking (ann@example.org)"}
    assert audit_trail.actor_names(store, []) == {}


def test_travel_support_is_kept_in_the_catalogue_and_in_the_chain_and_raises_the_version(
    coordinator: Coordinator,
) -> None:
    before = catalogue.catalogue_version(coordinator.store)

    kept = set_travel(coordinator, words=" 80 USD  a visit ")

    site = catalogue.read_sites(coordinator.store, STUDY_ID)[0]
    assert kept.kinds == (TravelKind.MILEAGE, TravelKind.MEALS)
    assert (site.travel, site.time_reimbursement) == (kept, "80 USD a visit")
    assert catalogue.catalogue_version(coordinator.store) != before
    assert kinds(coordinator) == ["TRAVEL_SET"]
    assert audit.verify(coordinator.store).is_intact


def test_travel_support_counts_for_no_spot(coordinator: Coordinator) -> None:
    coordinator.cap(2)
    coordinator.hold("r-1")
    before = coordinator.site()

    set_travel(coordinator)

    assert coordinator.site() == before
    assert (
        counting.capacity(coordinator.store, STUDY_ID, coordinator.now, as_of=coordinator.now)[0].remaining
        == before.remaining
    )


def test_travel_support_set_twice_with_one_key_is_set_once(coordinator: Coordinator) -> None:
    for _ in range(2):
        set_travel(coordinator, key="k")

    assert kinds(coordinator) == ["TRAVEL_SET"]


def test_travel_support_that_makes_no_sense_changes_nothing(coordinator: Coordinator) -> None:
    before = catalogue.catalogue_version(coordinator.store)

    with pytest.raises(InvalidInput, match="Leave out the kinds"):
        set_travel(coordinator, TravelSupport(certainty=TravelCertainty.NOT_COVERED, kinds=(TravelKind.MEALS,)))
    with pytest.raises(InvalidInput, match="200 characters"):
        set_travel(coordinator, words="x" * 201)
    with pytest.raises(SiteNotFound):
        set_travel(coordinator, site_id="atlantis")

    assert catalogue.catalogue_version(coordinator.store) == before
    assert list(counting.iter_events(coordinator.store, STUDY_ID)) == []


def test_chain_with_travel_support_moves_to_another_database(coordinator: Coordinator, empty_url: str) -> None:
    coordinator.cap(2)
    set_travel(coordinator)
    coordinator.hold("r-1")
    written = list(portable.export_ledger(coordinator.store))

    with open_store(empty_url, require_ready=False) as other:
        migrate.upgrade(other)
        portable.import_ledger(other, written)

        assert [event.kind for event in counting.iter_events(other, STUDY_ID)] == [
            event.kind for event in counting.iter_events(coordinator.store, STUDY_ID)
        ]
        assert audit.verify(other).is_intact


def test_studies_are_found_by_words_of_their_title_among_some(store: Store) -> None:
    for study_id, title in (("NCT1", "Lupus nephritis, 100 % new"), ("NCT2", "Lupus of the skin"), ("NCT3", "Asthma")):
        catalogue.replace_study(store, make_study(study_id=study_id, title=title), [])

    def find(text: str, **how: object) -> list[str]:
        return [study_id for study_id, _ in catalogue.find_studies(store, text, **{"limit": 9, **how})]  # type: ignore[arg-type]

    assert find("") == ["NCT1", "NCT2", "NCT3"]
    assert find("LUPUS skin") == ["NCT2"]
    assert find("nct3") == ["NCT3"]
    assert find("100 %") == ["NCT1"]
    assert find("lupus", among=frozenset({"NCT2", "NCT3"})) == ["NCT2"]
    assert find("", among=frozenset()) == []
    assert find("", limit=2) == ["NCT1", "NCT2"]

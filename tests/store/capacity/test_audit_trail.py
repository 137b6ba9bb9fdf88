from __future__ import annotations

from datetime import timedelta

import pytest

from sitematch.domain.accounts.access import Permission
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput, SiteNotFound
from sitematch.store import migrate
from sitematch.store.accounts import accounts, tokens
from sitematch.store.capacity import audit, audit_trail, counting, portable
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue, travel
from tests.store.builders import NOW, STUDY_ID, Desk, country_key, make_caller, make_site, make_study, site_key

COVERED = TravelSupport(certainty=TravelCertainty.COVERED, kinds=(TravelKind.MEALS, TravelKind.MILEAGE))


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, sites=[make_site("site-1"), make_site("site-2", country="DE")])


def set_travel(desk: Desk, support: TravelSupport = COVERED, site_id: str = "site-1", words: str = "", **how: object):  # type: ignore[no-untyped-def]
    caller = make_caller(**how)  # type: ignore[arg-type]
    return travel.set_travel(
        desk.store, caller, study_id=STUDY_ID, site_id=site_id, travel=support, time_reimbursement=words, now=desk.now
    )


def kinds(desk: Desk, site_id: str = "site-1", country: str = "US", **how: object) -> list[str]:
    found = audit_trail.site_trail(desk.store, STUDY_ID, site_id, country, **{"limit": 100, **how})  # type: ignore[arg-type]
    return [event.kind.value for event in found]


def test_trail_of_a_site_has_its_referrals_and_every_rule_that_binds_it_the_latest_first(desk: Desk) -> None:
    desk.cap(8)
    desk.cap(3, country_key("US"))
    desk.cap(4, country_key("DE"))
    desk.close(site_key("site-2"))
    desk.cap(2, site_key("site-1"))
    desk.hold("r-1")
    desk.policy(waiting_list=False)

    assert kinds(desk) == ["POLICY_SET", "HELD", "CAP_SET", "CAP_SET", "CAP_SET"]
    assert kinds(desk, "site-2", "DE") == ["POLICY_SET", "CLOSED", "CAP_SET", "CAP_SET"]


def test_trail_comes_in_pages(desk: Desk) -> None:
    for number in range(5):
        desk.hold(f"r-{number}")
    first = audit_trail.site_trail(desk.store, STUDY_ID, "site-1", "US", limit=3)

    rest = audit_trail.site_trail(desk.store, STUDY_ID, "site-1", "US", limit=3, before_seq=first[-1].seq)

    assert [event.referral_id for event in (*first, *rest)] == ["r-4", "r-3", "r-2", "r-1", "r-0"]


def test_oldest_hold_that_counts_is_found_by_site(desk: Desk) -> None:
    desk.hold("r-lapsed", hold_for=timedelta(minutes=30))
    desk.later(hours=1)
    desk.hold("r-old")
    since = desk.now
    desk.later(hours=1)
    desk.hold("r-new")
    desk.hold("r-screened", "site-2")
    desk.screen("r-screened")

    assert audit_trail.oldest_holds(desk.store, STUDY_ID, desk.now) == {"site-1": since}


def test_actors_are_named_by_e_mail_and_by_label_with_owner_and_the_unknown_left_out(store: Store) -> None:
    account_id = accounts.create_account(store, email="ann@example.org", now=NOW).account_id
    made = tokens.create_token(
        store, account_id=account_id, label="booking", scopes=frozenset(Permission),
        expires_at=NOW + timedelta(days=1), now=NOW,
    )  # fmt: skip
    ids = [f"user:{account_id}", f"token:{made.token.token_id}", "user:gone", "cli:root", "system:sweep"]

    assert audit_trail.actor_names(store, ids) == {ids[0]: "ann@example.org", ids[1]: "booking (ann@example.org)"}
    assert audit_trail.actor_names(store, []) == {}


def test_travel_support_is_kept_in_the_catalogue_and_in_the_chain_and_raises_the_version(desk: Desk) -> None:
    before = catalogue.catalogue_version(desk.store)

    kept = set_travel(desk, words=" 80 USD  a visit ")

    site = catalogue.read_sites(desk.store, STUDY_ID)[0]
    assert kept.kinds == (TravelKind.MILEAGE, TravelKind.MEALS)
    assert (site.travel, site.time_reimbursement) == (kept, "80 USD a visit")
    assert catalogue.catalogue_version(desk.store) != before
    assert kinds(desk) == ["TRAVEL_SET"]
    assert audit.verify(desk.store).is_intact


def test_travel_support_counts_for_no_spot(desk: Desk) -> None:
    desk.cap(2)
    desk.hold("r-1")
    before = desk.site()

    set_travel(desk)

    assert desk.site() == before
    assert counting.capacity(desk.store, STUDY_ID, desk.now, as_of=desk.now)[0].remaining == before.remaining


def test_travel_support_set_twice_with_one_key_is_set_once(desk: Desk) -> None:
    for _ in range(2):
        set_travel(desk, key="k")

    assert kinds(desk) == ["TRAVEL_SET"]


def test_travel_support_that_makes_no_sense_changes_nothing(desk: Desk) -> None:
    before = catalogue.catalogue_version(desk.store)

    with pytest.raises(InvalidInput, match="Leave out the kinds"):
        set_travel(desk, TravelSupport(certainty=TravelCertainty.NOT_COVERED, kinds=(TravelKind.MEALS,)))
    with pytest.raises(InvalidInput, match="200 characters"):
        set_travel(desk, words="x" * 201)
    with pytest.raises(SiteNotFound):
        set_travel(desk, site_id="atlantis")

    assert catalogue.catalogue_version(desk.store) == before
    assert list(counting.iter_events(desk.store, STUDY_ID)) == []


def test_chain_with_travel_support_moves_to_another_database(desk: Desk, empty_url: str) -> None:
    desk.cap(2)
    set_travel(desk)
    desk.hold("r-1")
    written = list(portable.export_ledger(desk.store))

    with open_store(empty_url, require_ready=False) as other:
        migrate.upgrade(other)
        portable.import_ledger(other, written)

        assert [event.kind for event in counting.iter_events(other, STUDY_ID)] == [
            event.kind for event in counting.iter_events(desk.store, STUDY_ID)
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

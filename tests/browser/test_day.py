"""A coordinator's day, as one journey: an administrator, a manager and a coordinator at once, and what the trail says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sitematch.services.capacity import coordinating
from sitematch.services.studies import catalogue
from tests.browser.conftest import OpenPage
from tests.browser.coordinators import NEAR_MIAMI, SETUP, STUDY_ID, ConsoleBrowser
from tests.browser.served import Served
from tests.browser.watched import violations

OTHER = f"{STUDY_ID}-003"
PASSWORD = "walnut harbour seven lamps"


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleBrowser]:
    """A separate service for one test."""
    served = Served(tmp_path_factory.mktemp("day"))
    yield ConsoleBrowser(served)
    served.close()


class Hand:
    """A person at a page, who counts clicks and keystrokes as a spreadsheet user would."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.keys = 0

    def click(self, name: str, role: str = "button", *, exact: bool = False) -> None:
        self.page.get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]
        self.clicks += 1

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def write(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)
        self.keys += len(text)

    def choose(self, label: str, option: str | re.Pattern[str]) -> None:
        field = self.page.get_by_label(label, exact=True)
        texts = field.locator("option").all_text_contents()
        wanted = next(text for text in texts if re.search(option, text))
        field.select_option(label=wanted)
        self.clicks += 2

    def tick(self, *referral_ids: str) -> None:
        for referral_id in referral_ids:
            self.page.get_by_label(f"Choose {referral_id}", exact=True).check()
            self.clicks += 1


def trail(console: ConsoleBrowser, referral_id: str) -> list[tuple[str, str]]:
    """Return what happened to a referral, and who did it: a person's name, or the part of the program."""
    names = {f"user:{account_id}": name for name, account_id in console.accounts.items()}
    served = console.served
    events = coordinating.history(served.store, SETUP.actor, referral_id, served.now)
    return [(event.kind.value, names.get(event.actor_id, event.actor_id)) for event in events]


def test_a_day_of_two_coordinators_and_an_administrator(console: ConsoleBrowser, open_page: OpenPage) -> None:
    served = console.served
    console.cap(6)
    for number in range(1, 4):
        console.hold(f"r-{number}")
    console.cap(1, OTHER)
    console.hold("r-other", OTHER)
    console.wait("w-1", OTHER)
    served.later(hours=30)

    # The administrator invites a coordinator, who chooses a password by the link: nobody else learns it.
    ann = Hand(console.sign_in(open_page(served), "ann"))
    ann.page.goto("/console/people")
    ann.write("E-mail", "zoe@example.org")
    ann.choose("Role", "Site coordinator")
    site = next(each for each in catalogue.read_sites(served.store, STUDY_ID) if each.site_id == NEAR_MIAMI)
    ann.choose("Site", re.escape(site.facility))
    ann.click("Add", exact=True)
    link = ann.page.locator("code.secret").inner_text()
    zoe = Hand(open_page(served))
    zoe.page.goto(link)
    assert violations(zoe.page) == []
    zoe.write("New password", PASSWORD)
    zoe.click("Set the password")
    zoe.write("Password", PASSWORD)
    zoe.click("Sign in")

    # Her first page says what needs her: three holds of her own site lapse within a day.
    expect(zoe.page).to_have_title(re.compile(r"^\(3\) Today"))
    zoe.click("Extend the hold r-1")
    expect(zoe.page.get_by_role("status")).to_contain_text("Extend the hold: done")
    zoe.click("Start screening r-2")
    expect(zoe.page).to_have_title(re.compile(r"^\(1\) Today"))

    # That was the wrong referral: the step is taken back with a reason, and both stay in the history.
    zoe.press("/")
    zoe.page.wait_for_url("**/console/referrals")
    zoe.write("Referral id, or a part of it", "r-2")
    zoe.press("Enter")
    zoe.click("Screening started by mistake", "link")
    zoe.choose("Reason", "another referral")
    zoe.click("Screening started by mistake")
    expect(zoe.page.get_by_text("Start of screening taken back")).to_be_visible()

    # The manager gives two holds back after one question, and a freed spot is offered at once.
    max_ = Hand(console.sign_in(open_page(served), "max"))
    max_.page.goto("/console/referrals?sort=lapses")
    max_.tick("r-3", "r-other")
    max_.click("Give the spot back…")
    expect(max_.page.get_by_role("heading", level=1)).to_have_text("Give the spot back: 2 referrals?")
    max_.click("Give the spot back")
    expect(max_.page.get_by_role("heading", level=1)).to_have_text("Done for 2 referrals")
    max_.click("Today", "link")
    max_.click("Accept the offer w-1")

    # It goes to the site near Miami after all.
    max_.page.goto("/console/referrals/w-1")
    max_.click("Move to another site…", "link")
    max_.choose("New site", re.escape(site.facility))
    max_.click("Move to another site")
    expect(max_.page.get_by_text("Moved to another site").first).to_be_visible()

    # The administrator sees who did what at the account; the trail has every step with its author.
    ann.page.goto("/console/people")
    ann.click("zoe@example.org", "link")
    assert violations(ann.page) == []
    expect(ann.page.locator(".trail")).to_contain_text("Password set")
    console.accounts["zoe"] = ann.page.url.rpartition("/")[2]
    assert trail(console, "r-1") == [("HELD", "cli:setup"), ("HOLD_EXTENDED", "zoe")]
    assert trail(console, "r-2") == [("HELD", "cli:setup"), ("SCREENING", "zoe"), ("SCREENING_UNDONE", "zoe")]
    assert trail(console, "r-3") == [("HELD", "cli:setup"), ("RELEASED", "max")]
    assert trail(console, "w-1") == [
        ("WAITING", "cli:setup"),
        ("OFFERED", "system:waiting-list"),
        ("HELD", "max"),
        ("TRANSFERRED", "max"),
    ]
    # docs/console.md promises these; more would be worse.
    assert (zoe.clicks - 2, zoe.keys - 2 * len(PASSWORD)) == (6, 5)
    assert max_.clicks == 10

"""The list of referrals: search, filters, order and pages by the URL; the same as a file; actions on many at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from flask import Response, request
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.console.referrals import extensions, targets
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from api.http.tables import respond_table
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralSort
from sitematch.domain.capacity.states import Action, SpotState
from sitematch.errors import IllegalTransition, InvalidInput, ReferralNotFound
from sitematch.exporters.tables.files import CSV_TYPE, XLSX_TYPE, TableFormat
from sitematch.exporters.wire.capacity import ReferralAnswer, referral_answer
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity import bulk, coordinating, referral_lists
from sitematch.services.studies import catalogue

PAGE = 50
"""Number of referrals on one page of the list."""

EXPORTED = 50_000
"""The most referrals in one file."""

_FILES = {TableFormat.CSV: CSV_TYPE, TableFormat.XLSX: XLSX_TYPE}
_Id = Annotated[str, Meta(max_length=64)]


class ReferralsPageQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The filters, the order and the page; or a file of all of it."""

    study: str | None = None
    id: _Id = ""
    state: SpotState | None = None
    site: Annotated[str, Meta(max_length=200)] = ""
    arm: _Id = ""
    actor: Annotated[str, Meta(max_length=100)] = ""
    since: date | None = None
    until: date | None = None
    lapses: Annotated[int, Meta(ge=1, le=8760)] | None = None
    sort: ReferralSort = ReferralSort.LATEST
    before: Annotated[str, Meta(max_length=40)] | None = None
    format: TableFormat | None = None

    def wanted(self, now: datetime) -> ReferralFilter:
        """Return the conditions; days are in UTC, and `until` is included."""
        return ReferralFilter(
            text=self.id.strip(),
            states=None if self.state is None else frozenset({self.state}),
            site_id=self.site or None,
            arm=self.arm or None,
            actor_id=self.actor or None,
            changed_from=None if self.since is None else _midnight(self.since),
            changed_before=None if self.until in (None, date.max) else _midnight(self.until + timedelta(days=1)),
            lapses_before=None if self.lapses is None else now + timedelta(hours=self.lapses),
            sort=self.sort,
        )

    def is_narrowed(self) -> bool:
        """Return whether any filter is set."""
        given = (self.id, self.state, self.site, self.arm, self.actor, self.since, self.until, self.lapses)
        return any(given)


class BulkQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """An action to preview, and the referrals."""

    action: Action
    ids: tuple[_Id, ...] = ()
    study: str | None = None


class BulkForm(ConsoleForm, frozen=True, kw_only=True):
    """An action on referrals."""

    action: Action
    ids: tuple[_Id, ...] = ()
    hours: Annotated[float, Meta(gt=0, le=8760)] | None = None
    site_id: Annotated[str, Meta(max_length=200)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/referrals", Permission.REFERRALS_READ)
    def referrals() -> Response:
        asked, context = read_filters(ReferralsPageQuery), ConsoleContext(backend)
        if asked.format is not None:
            return _export(context, asked, _FILES.get(asked.format, CSV_TYPE))
        if asked.id.strip() and _is_known(context, asked.id.strip()):
            return go("referral", referral_id=asked.id.strip())
        return _list(context, asked)

    @console.page("GET", "/bulk", Permission.REFERRALS_WRITE)
    def confirm_bulk() -> Response:
        context = ConsoleContext(backend)
        try:
            asked = read_filters(BulkQuery)
            return _confirm(context, asked.action, asked.ids)
        except InvalidInput as error:
            fault = _("Choose at least one referral.") if error.field == "ids" else error.message
            return _list(context, ReferralsPageQuery(), fault=fault, status=400)

    @console.page("POST", "/bulk", Permission.REFERRALS_WRITE)
    def run_bulk() -> Response:
        asked, context = read_form(BulkForm), ConsoleContext(backend)
        try:
            done = bulk.run(
                context.store,
                context.caller,
                asked.action,
                asked.ids,
                context.now,
                hours=asked.hours,
                site_id=asked.site_id or None,
            )
        except InvalidInput as error:
            fault = _("Choose another site.") if error.field == "site_id" else error.message
            return _confirm(context, asked.action, asked.ids, fault=fault, status=400)
        return page("bulk.html", items=[(item, _words(item)) for item in done], action=asked.action, is_done=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _is_known(context: ConsoleContext, referral_id: str) -> bool:
    try:
        coordinating.referral(context.store, context.actor, referral_id, context.now)
    except ReferralNotFound:
        return False
    return True


def _list(context: ConsoleContext, asked: ReferralsPageQuery, *, fault: str = "", status: int = 200) -> Response:
    found = referral_lists.find(
        context.store,
        context.actor,
        context.study_id,
        context.now,
        asked.wanted(context.now),
        limit=PAGE,
        cursor=asked.before,
    )
    sites = {site.site_id: site for site in catalogue.read_sites(context.store, context.study_id)}
    actors = (
        referral_lists.recent_actors(context.store, context.actor, context.study_id)
        if context.may(Permission.AUDIT_READ)
        else {context.actor.actor_id: context.actor.actor_id}
    )
    return page(
        "referrals.html",
        status=status,
        fault=fault,
        asked=asked,
        found=found,
        address=_addresses(asked),
        sites=sites,
        states=list(SpotState),
        sorts=list(ReferralSort),
        arms=referral_lists.arms(context.store, context.actor, context.study_id),
        actors=actors,
        bulk_actions=bulk.BULK_ACTIONS,
    )


def _addresses(asked: ReferralsPageQuery) -> Any:
    """Return a function from changes to the query of this list with them."""
    given = {name: value for name, value in request.args.items() if value and name != "study"}

    def query(**changes: Any) -> dict[str, Any]:
        kept = {name: value for name, value in given.items() if name in asked.__struct_fields__ and name != "before"}
        return {name: value for name, value in {**kept, **changes}.items() if value is not None}

    return query


def _export(context: ConsoleContext, asked: ReferralsPageQuery, media_type: str) -> Response:
    def rows() -> Iterator[ReferralAnswer]:
        wanted = asked.wanted(context.now)
        every = referral_lists.find_all(context.store, context.actor, context.study_id, context.now, wanted)
        for number, item in enumerate(every):
            if number == EXPORTED:
                raise InvalidInput(
                    _("That is more than %(most)s referrals. Narrow the list, or use the command line.", most=EXPORTED),
                    field="format",
                )
            yield referral_answer(item)

    return respond_table(media_type, "referrals", context.study_id, ReferralAnswer.__struct_fields__, rows())


def _confirm(
    context: ConsoleContext, action: Action, ids: tuple[str, ...], *, fault: str = "", status: int = 200
) -> Response:
    items = bulk.preview(context.store, context.actor, action, ids, context.now)
    possible = [item.referral for item in items if item.referral is not None and item.refusal is None]
    return page(
        "bulk.html",
        status=status,
        items=[(item, _words(item)) for item in items],
        action=action,
        possible=possible,
        hours=extensions(context, possible[0]) if possible and action is Action.EXTEND_HOLD else (),
        targets=targets(context) if action is Action.TRANSFER else (),
        fault=fault,
        is_done=False,
        sites={site.site_id: site for site in catalogue.read_sites(context.store, context.study_id)},
    )


def _words(item: bulk.BulkItem) -> str:
    if isinstance(item.refusal, IllegalTransition):
        return str(_("A referral with this status cannot be changed like this."))
    return "" if item.refusal is None else problem_of(item.refusal).detail

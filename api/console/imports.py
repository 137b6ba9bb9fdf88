"""Importing a file: upload, preview and import; and the undo of the latest import."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from flask import Response, request
from msgspec import Meta

from api.backend import Backend
from api.console import pending_uploads
from api.console.page import session
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import Permission, require
from sitematch.errors import InvalidInput, SitematchError
from sitematch.exporters.wire.matches import Wire
from sitematch.services.studies import uploads
from sitematch.services.studies.sources import SOURCES, ImportSource
from sitematch.services.studies.uploads import UploadOutcome

MAX_UPLOAD_BYTES = 64 * 1024 * 1024
"""The largest file that the console accepts; larger ones need the command line."""


class UploadRequest(ConsoleForm, frozen=True, kw_only=True):
    """A file to preview."""

    form: ImportSource = ImportSource.TABLE
    allow_older: str = ""
    allow_left_out: str = ""


class UndoForm(ConsoleForm, frozen=True, kw_only=True):
    """An import to undo."""

    import_id: Annotated[int, Meta(ge=1)]


class ImportsQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done."""

    study: str | None = None
    done: Annotated[int, Meta(ge=0)] | None = None
    undone: Annotated[int, Meta(ge=1)] | None = None


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/imports", Permission.CATALOGUE_WRITE)
    def imports() -> Response:
        asked = read_filters(ImportsQuery)
        return _show(ConsoleContext(backend), done=asked.done, undone=asked.undone)

    @console.page("POST", "/imports/uploads", Permission.CATALOGUE_WRITE, body_bytes=MAX_UPLOAD_BYTES)
    def upload() -> Response:
        asked, context = read_form(UploadRequest), ConsoleContext(backend)
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return _show(context, fault=_("Choose a file."), status=400)
        about = pending_uploads.UploadDetails(
            actor_id=context.actor.actor_id,
            name=Path(sent.filename.replace("\\", "/")).name[:100],
            form=asked.form,
            study_id=context.study_id,
            allow_older=bool(asked.allow_older),
            allow_left_out=bool(asked.allow_left_out),
            at=context.now,
        )
        waiting = pending_uploads.park(backend.settings.home, sent, about)
        with ExitStack() as on_failure:
            on_failure.callback(pending_uploads.remove, waiting)
            try:
                outcome = _import(context, waiting, dry_run=True)
            except SitematchError as error:
                return _refused(context, error)
            on_failure.pop_all()
        return page("import_preview.html", about=about, upload_id=waiting.upload_id, outcome=outcome)

    @console.page("POST", "/imports/uploads/<upload_id>", Permission.CATALOGUE_WRITE)
    def import_upload(upload_id: str) -> Response:
        context = ConsoleContext(backend)
        try:
            waiting = pending_uploads.find(backend.settings.home, upload_id, context.actor.actor_id, context.now)
            outcome = _import(context, waiting, dry_run=False)
        except SitematchError as error:
            return _refused(context, error)
        pending_uploads.remove(waiting)
        return go("imports", done=outcome.import_id or 0)

    @console.page("POST", "/imports/uploads/<upload_id>/discard", Permission.CATALOGUE_WRITE)
    def discard_upload(upload_id: str) -> Response:
        context = ConsoleContext(backend)
        try:
            pending_uploads.remove(
                pending_uploads.find(backend.settings.home, upload_id, context.actor.actor_id, context.now)
            )
        except InvalidInput:
            return go("imports")  # already deleted
        return go("imports")

    @console.page("GET", "/imports/undo", Permission.CATALOGUE_WRITE)
    def confirm_undo() -> Response:
        context = ConsoleContext(backend)
        require(context.actor, Permission.CATALOGUE_WRITE)
        latest = next(
            (each for each in uploads.list_imports(context.store, context.actor) if each.undone_at is None), None
        )
        return page("confirm_undo.html", latest=latest)

    @console.page("POST", "/imports/undo", Permission.CATALOGUE_WRITE)
    def undo_import() -> Response:
        asked, context = read_form(UndoForm), ConsoleContext(backend)
        try:
            undone = uploads.undo_import(context.store, context.actor, asked.import_id, context.now)
        except InvalidInput as error:
            return _refused(context, error)
        return go("imports", undone=undone.import_id)


def _import(context: ConsoleContext, waiting: pending_uploads.PendingUpload, *, dry_run: bool) -> UploadOutcome:
    about = waiting.about
    return uploads.import_upload(
        context.store,
        context.backend.finder().gazetteer,
        context.actor,
        waiting.path,
        about.form,
        name=about.name,
        uploader=session.current().account.email,
        study_id=about.study_id,
        now=context.now,
        dry_run=dry_run,
        allow_older=about.allow_older,
        allow_left_out=about.allow_left_out,
    )


def _refused(context: ConsoleContext, error: SitematchError) -> Response:
    fault = problem_of(error)
    if fault.status in (403, *range(500, 600)):
        raise error
    return _show(context, fault=fault.detail, faults=getattr(error, "faults", ()), status=fault.status)


def _show(
    context: ConsoleContext,
    *,
    done: int | None = None,
    undone: int | None = None,
    fault: str = "",
    faults: tuple[object, ...] = (),
    status: int = 200,
) -> Response:
    return page(
        "imports.html",
        status=status,
        imports=uploads.list_imports(context.store, context.actor),
        forms=[(source.value, about.title) for source, about in SOURCES.items() if about.reader is not None],
        max_mb=MAX_UPLOAD_BYTES // (1024 * 1024),
        done=done,
        undone=undone,
        fault=fault,
        faults=faults[:50],
    )

"""Common fields of the console's forms; `api.http.reading.read_form` reads them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sitematch.exporters.wire.matches import Wire


class ConsoleForm(Wire, frozen=True, forbid_unknown_fields=True):
    """The session's token and an idempotency key; both are checked before the view runs."""

    csrf: Annotated[str, Meta(max_length=100)] = ""
    key: Annotated[str, Meta(max_length=100)] = ""

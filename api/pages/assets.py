"""The pages' styles and scripts, named after their content so that browsers can cache them, and sent compressed."""

from __future__ import annotations

import json
import logging
import mimetypes
from pathlib import Path
from typing import TypeVar

from flask import Flask, Response, request, send_from_directory
from jinja2 import Undefined
from jinja2.utils import missing
from markupsafe import Markup
from werkzeug.security import safe_join

from sitematch.domain.plain_text import plain_text

_T = TypeVar("_T")

LOG = logging.getLogger("sitematch.api")

FOLDER = "built"
"""Folder in the static folder that ``tools/build_pages.py`` fills."""

_PACKED = (("br", ".br"), ("gzip", ".gz"))
"""Content codings and their file endings, smallest files first."""

_KEPT_FOR_GOOD = "public, max-age=31536000, immutable"


class Assets:
    """Finds the built files.

    Parameters
    ----------
    static
        The folder that the server serves as ``/static``.
    """

    def __init__(self, static: Path) -> None:
        self._static = static
        manifest = static / FOLDER / "manifest.json"
        if manifest.exists():
            self._names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
        else:
            self._names = {}
            LOG.error("The pages' style and scripts are not built, so pages have no styling. Run: make run")

    def address(self, name: str) -> str:
        """Return the URL of the file built from a source, e.g. ``"site.css"``; empty if it was not built."""
        built = self._names.get(name)
        return f"/static/{FOLDER}/{built}" if built else ""

    def read(self, name: str) -> bytes | None:
        """Return the bytes of the file built from a source; None if it was not built."""
        built = self._names.get(name)
        return (self._static / FOLDER / built).read_bytes() if built else None

    def send(self, filename: str) -> Response:
        """Send a file from the static folder, compressed if there is such a copy and the client accepts it.

        Raises
        ------
        werkzeug.exceptions.NotFound
            If there is no such file.
        """
        if not filename.startswith(f"{FOLDER}/"):
            return _in_memory(send_from_directory(self._static, filename))
        response = self._packed(filename) or _in_memory(send_from_directory(self._static, filename))
        response.headers["Vary"] = "Accept-Encoding"
        # The name contains a hash of the content, so changed content has another name.
        response.headers["Cache-Control"] = _KEPT_FOR_GOOD
        return response

    def _packed(self, filename: str) -> Response | None:
        for coding, ending in _PACKED:
            path = safe_join(str(self._static), filename + ending)
            if path is not None and request.accept_encodings[coding] > 0 and Path(path).is_file():
                mimetype = mimetypes.guess_type(filename)[0]
                response = _in_memory(send_from_directory(self._static, filename + ending, mimetype=mimetype))
                response.headers["Content-Encoding"] = coding
                return response
        return None


def _in_memory(response: Response) -> Response:
    """Read a small file at once, so that no file stays open if the browser disconnects."""
    body = response.response
    if response.direct_passthrough:
        response.direct_passthrough = False
        response.set_data(response.get_data())
    close = getattr(body, "close", None)
    if close is not None:
        close()
    return response


class _StrictAttribute(Undefined):
    """Stays empty for a name that the page did not set; fails for an attribute that an object does not have."""

    def __bool__(self) -> bool:
        return self._checked(False)

    def __str__(self) -> str:
        return self._checked("")

    def _checked(self, value: _T) -> _T:
        if self._undefined_obj is not missing:
            self._fail_with_undefined_error()
        return value


def _finalize(value: object) -> object:
    """Take out of a text what would reorder or hide what stands around it; markup of our own keeps its type."""
    if isinstance(value, Markup):
        return Markup(plain_text(str(value)))  # noqa: S704 - it was markup before, and nothing is added
    return plain_text(value) if isinstance(value, str) else value


def register(app: Flask) -> Assets:
    """Find what was built, and let templates write ``{{ asset("site.css") }}``.

    Notes
    -----
    A template that reads an attribute that its object does not have fails. Jinja would show nothing.
    """
    assert app.static_folder is not None
    assets = Assets(Path(app.static_folder))
    app.jinja_env.finalize = _finalize
    app.jinja_env.undefined = _StrictAttribute
    app.jinja_env.globals["asset"] = assets.address
    return assets

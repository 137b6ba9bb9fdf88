"""Reading bodies and query strings into request types, and saying in plain words what does not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import TypeVar

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api.http import problems
from api.http.errors import RequestRejected
from api.http.problems import problem
from sitematch.errors import InvalidInput

T = TypeVar("T", bound=msgspec.Struct)

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*?)`", re.DOTALL)
_NOT_A_NUMBER = re.compile(rb'"(\w{1,40})"\s*:\s*\[?\s*-?(NaN|Infinity)\b')
_SHOWN = 80
"""Characters of a caller's own text that are repeated to it."""


def read_body() -> bytes:
    """Read the whole body, or refuse it.

    Raises
    ------
    werkzeug.exceptions.RequestEntityTooLarge
        If it is over the limit.

    Notes
    -----
    Werkzeug checks a stated length. A body that comes in chunks states none, and is cut at the limit without a word:
    one that reaches it is refused here.
    """
    body = request.get_data()
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body


def spoken_languages() -> tuple[str, ...]:
    """Give the languages that the request's client accepts, best first; see `sitematch.gazetteer.likely`."""
    return tuple(tag for tag, _ in request.accept_languages)


def read_form(wanted: type[T]) -> T:
    """Read a form that a page sent.

    Raises
    ------
    werkzeug.exceptions.RequestEntityTooLarge
        If it is over the limit.
    InvalidInput
        If a field is unknown or repeated; `.field` names it.
    """
    read_body()  # kept by the request, which reads the form from it
    return convert(_single(request.form.lists(), _several(wanted)), wanted)


def read_json(decoder: msgspec.json.Decoder[T]) -> T:
    """Read the body.

    Parameters
    ----------
    decoder
        Decoder of the request's type.

    Raises
    ------
    werkzeug.exceptions.UnsupportedMediaType
        If the body is not declared as JSON.
    werkzeug.exceptions.RequestEntityTooLarge
        If it is over the limit.
    Refused
        If it is not JSON.
    InvalidInput
        If it does not fit the type; `.field` says where.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    body = read_body()
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _misfit(error, decoder.type) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _not_json(body) from None


def read_query(wanted: type[T]) -> T:
    """Read the query string.

    Parameters
    ----------
    wanted
        The type of the parameters. Fields that hold several values may be repeated, others may not.

    Raises
    ------
    InvalidInput
        If a parameter is unknown, repeated or of a wrong type; `.field` names it.
    """
    return convert(_single(request.args.lists(), _several(wanted)), wanted)


def read_filters(wanted: type[T]) -> T:
    """Read the query string that a page's form made: fields that were left empty are sent too, and count as left out.

    Parameters
    ----------
    wanted
        The type of the fields.

    Raises
    ------
    InvalidInput
        See `read_query`.
    """
    filled = ((name, [value for value in values if value]) for name, values in request.args.lists())
    return convert(_single(((name, values) for name, values in filled if values), _several(wanted)), wanted)


def convert(values: dict[str, object], wanted: type[T]) -> T:
    """Read texts, as a query string or a form holds them.

    Raises
    ------
    InvalidInput
        If a value is unknown or of a wrong type; `.field` names it.
    """
    try:
        return msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(error, wanted) from None


def _single(lists: Iterable[tuple[str, list[str]]], several: Collection[str]) -> dict[str, object]:
    """Take the one value of each name, and all of those that may be repeated."""
    values: dict[str, object] = {}
    for name, given in lists:
        if name not in several and len(given) > 1:
            shown = name[:_SHOWN]
            raise InvalidInput(f"{shown} is given {len(given)} times. Give it once.", field=shown)
        values[name] = given if name in several else given[0]
    return values


@cache
def descriptions(wanted: type[msgspec.Struct]) -> dict[str, str]:
    """Return what each field of a type is, by its name."""
    schemas = msgspec.json.schema_components([wanted])[1]
    properties = schemas[wanted.__name__]["properties"]
    return {name: schema.get("description", "") for name, schema in properties.items()}


@cache
def _several(wanted: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(wanted) if "tuple" in str(field.type))


def _misfit(error: msgspec.ValidationError, wanted: type[msgspec.Struct]) -> InvalidInput:
    """Turn a decoder's error into one that names the field and says what it takes."""
    known = descriptions(wanted)
    text = str(error)
    unknown = _UNKNOWN.match(text)
    if unknown:
        name = unknown["name"][:_SHOWN]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"The fields are: {', '.join(known) or 'none'}."
        return InvalidInput(f"There is no field {name!r} here. {hint}", field=name)
    parts = _AT.match(text)
    path = parts["path"] if parts and parts["path"] else None
    what = (parts["what"] if parts else text).replace("`", "")
    what = what if len(what) <= 2 * _SHOWN else what[: 2 * _SHOWN] + "…"
    if path is None:
        return InvalidInput(f"{what}. Send one JSON object.")
    described = known.get(re.split(r"[.\[]", path)[0], "")
    return InvalidInput(f"{path}: {what}. {described}".rstrip(), field=path)


def _not_json(body: bytes) -> RequestRejected:
    if not body.strip():
        return RequestRejected(problem(problems.INVALID_JSON, "The body is empty."))
    number = _NOT_A_NUMBER.search(body)
    if number:
        name = number[1].decode("ascii", "replace")
        detail = f"{name}: {number[2].decode()} is not a valid JSON number."
        return RequestRejected(problem(problems.INVALID_JSON, detail, field=name))
    return RequestRejected(problem(problems.INVALID_JSON, "The body is not valid JSON."))

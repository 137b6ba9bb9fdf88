"""Reading ``SITEMATCH_…`` variables: each value is checked, and every fault is told at once."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping, Sequence

from sitematch.errors import InvalidInput

LOG_FORMATS = ("console", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")

DEMAND_THRESHOLD = 11
"""The fewest look-ups that a demand report may show: usual for small counts in health statistics."""

_SECRET_LENGTH = 16
"""Characters; a shorter secret can be guessed."""

_ORIGIN = re.compile(r"https?://[\w.-]+(?::\d{1,5})?", re.ASCII)
_ANCESTOR = re.compile(r"'self'|https?://(?:\*\.)?[\w.-]+(?::\d{1,5})?", re.ASCII)
"""One source of CSP's ``frame-ancestors``; nothing in it can end the directive."""

_TILES = re.compile(r"https?://[\w.-]+(?::\d{1,5})?/[^\s;,'\"]*", re.ASCII)

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]", re.ASCII)
_RATE = re.compile(r"(\d{1,6}) ?(?:/|per) ?(?:(\d{1,4}) )?(second|minute|hour|day)s?", re.ASCII)
_LIMITS_STORAGES = ("memory://", "redis://", "rediss://", "redis+unix://")


class Variables:
    """Values by name, read one by one; what cannot be understood is noted, and the default stands in for it.

    Parameters
    ----------
    values
        Usually ``os.environ``.

    Examples
    --------
    >>> given = Variables({"A": "yes", "B": "many"})
    >>> given.flag("A", default=False), given.count("B", default=1, least=1, most=64)
    (True, 1)
    >>> given.raise_faults()
    Traceback (most recent call last):
    sitematch.errors.InvalidInput: B is 'many'; set it to 1 to 64.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._faults: list[tuple[str, str]] = []

    def raise_faults(self) -> None:
        """Tell every fault that was found so far.

        Raises
        ------
        InvalidInput
            If there is one; `.field` names the first variable.
        """
        if self._faults:
            message = "\n".join(f"{name} {said}" for name, said in self._faults)
            raise InvalidInput(message, field=self._faults[0][0])

    def _note(self, name: str, text: str, wanted: str) -> None:
        self._faults.append((name, f"is {text!r}; set it to {wanted}."))

    def flag(self, name: str, *, default: bool) -> bool:
        """Read yes or no."""
        text = self._values.get(name)
        if text is None:
            return default
        folded = text.strip().lower()
        if folded not in _TRUE | _FALSE:
            self._note(name, text, "1 or 0")
        return folded in _TRUE

    def choice(self, name: str, known: Sequence[str], *, default: str) -> str:
        """Read one of some words."""
        text = self._values.get(name, "").strip().lower() or default
        if text not in known:
            self._note(name, self._values[name], f"{', '.join(known[:-1])} or {known[-1]}")
            return default
        return text

    def count(self, name: str, *, default: int, least: int, most: int, also: int | None = None) -> int:
        """Read a whole number from `least` to `most`, or the one in `also`."""
        text = self._values.get(name, "").strip()
        if not text:
            return default
        count = int(text) if text.isdecimal() and text.isascii() and len(text) < 12 else -1
        if count != also and not least <= count <= most:
            self._note(name, text, f"{'' if also is None else f'{also}, or '}{least} to {most}")
            return default
        return count

    def seconds(self, name: str, *, default: float, least: float, most: float) -> float:
        """Read a number of seconds from `least` to `most`."""
        text = self._values.get(name)
        if not text:
            return default
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not least <= seconds <= most:
            self._note(name, text, f"{least:g} to {most:g} seconds")
            return default
        return seconds

    def router(self, name: str, address_name: str) -> str:
        """Read the kind of a router, which needs an address; empty if there is none."""
        kind = self._values.get(name, "").strip().lower()
        if kind not in ("", "valhalla", "osrm"):
            self._note(name, kind, "valhalla or osrm, or leave it out")
            return ""
        if kind and not self._values.get(address_name, "").strip():
            self._faults.append((address_name, f"is missing; set it to the address of the router that {name} names."))
        return kind

    def secret(self, name: str) -> str:
        """Read a secret, which is never repeated in a message; empty if there is none."""
        text = self._values.get(name, "").strip()
        if text and len(text) < _SECRET_LENGTH:
            self._faults.append((name, f"is too short; set it to {_SECRET_LENGTH} or more characters that are random."))
        return text

    def frame_ancestors(self, name: str) -> str:
        """Read what CSP's ``frame-ancestors`` takes."""
        text = " ".join(self._values.get(name, "").split()) or "'none'"
        if text not in ("'none'", "*") and not all(_ANCESTOR.fullmatch(part) for part in text.split()):
            self._note(name, text, "'none', * or origins such as https://example.org, separated by spaces")
            return "'none'"
        return text

    def origins(self, name: str) -> tuple[str, ...]:
        """Read origins, each a scheme and a host, perhaps with a port: no path, no wildcard."""
        found = tuple(dict.fromkeys(self._values.get(name, "").replace(",", " ").split()))
        if not all(_ORIGIN.fullmatch(origin) for origin in found):
            self._note(name, self._values[name], "origins such as https://example.org, separated by spaces")
            return ()
        return found

    def rate(self, name: str, *, default: str) -> str:
        """Read a rate such as ``600/minute`` or ``30/5 minutes``; ``0`` is no limit and gives an empty text."""
        text = " ".join(self._values.get(name, "").lower().split())
        if not text:
            return default
        if text == "0":
            return ""
        found = _RATE.fullmatch(text)
        if found is None or not int(found[1]) or found[2] == "0":
            self._note(name, text, "a rate such as 600/minute or 30/5 minutes, or to 0 for no limit")
            return default
        return f"{int(found[1])}/{int(found[2] or 1)} {found[3]}"

    def networks(self, name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        """Read IP addresses or networks, separated by commas or spaces; ``none`` is none."""
        text = self._values.get(name, "").strip().lower()
        if not text:
            return default
        if text == "none":
            return ()
        try:
            return tuple(str(ipaddress.ip_network(part)) for part in text.replace(",", " ").split())
        except ValueError:
            self._note(name, text, "IP addresses or networks such as 10.0.0.0/8, separated by commas, or none")
            return default

    def hosts(self, name: str) -> tuple[str, ...]:
        """Read names of hosts, separated by commas or spaces."""
        parts = tuple(self._values.get(name, "").lower().replace(",", " ").split())
        if not all(_HOST.fullmatch(part) for part in parts):
            self._note(name, self._values[name], "names such as sites.example.org, separated by commas, without a port")
            return ()
        return parts

    def limits_storage(self, name: str) -> str:
        """Read where counts of requests are stored; its password is never repeated in a message."""
        text = self._values.get(name, "").strip() or _LIMITS_STORAGES[0]
        if not text.startswith(_LIMITS_STORAGES):
            self._faults.append((name, "must be memory:// or the address of a Redis server, redis://host:6379."))
            return _LIMITS_STORAGES[0]
        return text

    def tiles_url(self, name: str) -> str:
        """Read the address of a map tile server."""
        text = self._values.get(name, "").strip()
        if text and not (_TILES.fullmatch(text) and all(part in text for part in ("{z}", "{x}", "{y}"))):
            self._note(name, text, "an http or https address with {z}, {x} and {y}, and one host")
            return ""
        return text

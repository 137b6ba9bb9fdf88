"""Settings, built once from a mapping (the environment at the edges), frozen ever after."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sitematch.errors import InvalidInput

_PACKAGE = Path(__file__).parent
DEFAULT_STUDY_ID = "NCT06064929"
"""The study of a fresh install."""

CTGOV_URL = "https://clinicaltrials.gov/api/v2"
"""The documented address of ClinicalTrials.gov's API v2."""

DEMAND_THRESHOLD = 11
"""The fewest look-ups that a demand report may show: usual for small counts in health statistics."""

_ANCESTOR = re.compile(r"'self'|https?://(?:\*\.)?[\w.-]+(?::\d{1,5})?", re.ASCII)
"""One source of CSP's ``frame-ancestors``; nothing in it can end the directive."""

_TILES = re.compile(r"https?://[\w.-]+(?::\d{1,5})?/[^\s;,'\"]*", re.ASCII)

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set from outside.

    Parameters
    ----------
    home
        Folder for what sitematch writes: the SQLite database. ``SITEMATCH_HOME``; by default ``var/`` in a checkout,
        else the user's data folder.
    database_url
        SQLAlchemy URL of the database. ``SITEMATCH_DATABASE_URL``; by default a SQLite file in `home`.
    gazetteer_path
        The compiled gazetteer. ``SITEMATCH_GAZETTEER``; by default the one inside the package.
    roads_path
        The file of land and people from which the way by car is estimated. ``SITEMATCH_ROADS``; by default the one
        inside the package. Without the file, answers give distances and no minutes.
    router, router_url
        A router of the operator's own that is asked for times by car, ``valhalla`` or ``osrm``, and its address. It
        learns where patients live. ``SITEMATCH_ROUTER``, ``SITEMATCH_ROUTER_URL``; empty asks nobody.
    router_to_public
        Whether the router may be outside private networks. ``SITEMATCH_ROUTER_TO_PUBLIC``, off.
    study_id
        The study that is matched when none is named. ``SITEMATCH_STUDY``.
    get_matches
        Whether ``GET /v1/matches`` is served, which puts a postcode into the URL, and ``near`` is taken from addresses
        under ``/fhir``. ``SITEMATCH_GET_MATCHES``, on.
    ctgov_url
        Where ClinicalTrials.gov's API v2, or a mirror of it, answers. ``SITEMATCH_CTGOV_URL``.
    public_url
        Address under which others reach the server, without a slash at its end, e.g. ``https://sites.example.org``: for
        the links that FHIR needs. ``SITEMATCH_PUBLIC_URL``; empty takes what each request was sent to.
    access_log
        Whether the server writes a line for each request: method, route, status and time, never the address itself,
        which may hold a postcode. ``SITEMATCH_ACCESS_LOG``, off.
    busy_timeout_s
        How long a write waits for others before it is told that the database is busy, in seconds, over 0 to 600.
        ``SITEMATCH_BUSY_TIMEOUT_S``, 10.
    notices_every_s
        How often the server offers lapsed spots to who waits and tells webhooks, in seconds, 0 to 3600; 0 leaves it to
        ``sitematch waiting-list sweep`` and ``sitematch webhook run``. ``SITEMATCH_NOTICES_EVERY_S``, 5.
    webhooks_to_private
        Whether webhooks may go to addresses inside one's own network. ``SITEMATCH_WEBHOOKS_TO_PRIVATE``, off.
    count_demand
        Whether look-ups are counted by coarse region, in batches; see docs/demand.md. ``SITEMATCH_COUNT_DEMAND``, off.
    demand_threshold
        The fewest look-ups of a region in a month that the demand report shows, 11 to 1,000,000.
        ``SITEMATCH_DEMAND_THRESHOLD``, 11.

    frame_ancestors
        Origins whose pages may show the finder in a frame, as CSP's ``frame-ancestors`` takes them.
        ``SITEMATCH_FRAME_ANCESTORS``, ``'none'``.
    tiles_url
        A map tile server's address with ``{z}``, ``{x}`` and ``{y}``; empty draws the map from our own data and asks
        nobody. ``SITEMATCH_TILES_URL``, empty.
    tiles_attribution
        Whom that server wants named, in plain text. ``SITEMATCH_TILES_ATTRIBUTION``, empty.
    """

    home: Path
    database_url: str
    gazetteer_path: Path
    roads_path: Path | None = None
    router: str = ""
    router_url: str = ""
    router_to_public: bool = False
    study_id: str = DEFAULT_STUDY_ID
    get_matches: bool = True
    ctgov_url: str = CTGOV_URL
    public_url: str = ""
    access_log: bool = False
    busy_timeout_s: float = 10.0
    notices_every_s: float = 5.0
    webhooks_to_private: bool = False
    frame_ancestors: str = "'none'"
    tiles_url: str = ""
    tiles_attribution: str = ""
    count_demand: bool = False
    demand_threshold: int = DEMAND_THRESHOLD

    @property
    def tiles_origin(self) -> str:
        """Scheme, host and port of the tile server; empty if none is set."""
        address = urlsplit(self.tiles_url)
        return f"{address.scheme}://{address.netloc}" if self.tiles_url else ""

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> Settings:
        """Build the settings from ``SITEMATCH_…`` variables.

        Parameters
        ----------
        values
            Usually ``os.environ``; other names in it are ignored.

        Raises
        ------
        InvalidInput
            If a value cannot be understood; `.field` names the variable.

        Examples
        --------
        >>> Settings.from_mapping({"SITEMATCH_HOME": "/srv/sitematch"}).database_url
        'sqlite:////srv/sitematch/sitematch.db'
        """
        home_text = values.get("SITEMATCH_HOME")
        if home_text:
            home = Path(home_text).expanduser().absolute()
        elif (_PACKAGE.parent / "pyproject.toml").exists():
            home = _PACKAGE.parent / "var"
        else:
            from platformdirs import user_data_path  # only where it is needed

            home = user_data_path("sitematch")
        gazetteer_text = values.get("SITEMATCH_GAZETTEER")
        return cls(
            home=home,
            database_url=values.get("SITEMATCH_DATABASE_URL") or f"sqlite:///{home / 'sitematch.db'}",
            gazetteer_path=Path(gazetteer_text) if gazetteer_text else data_file("gazetteer.sqlite"),
            roads_path=Path(values["SITEMATCH_ROADS"]) if values.get("SITEMATCH_ROADS") else data_file("roads.sqlite"),
            router=_router(values),
            router_url=values.get("SITEMATCH_ROUTER_URL", ""),
            router_to_public=_flag(values, "SITEMATCH_ROUTER_TO_PUBLIC", default=False),
            study_id=values.get("SITEMATCH_STUDY") or DEFAULT_STUDY_ID,
            get_matches=_flag(values, "SITEMATCH_GET_MATCHES", default=True),
            ctgov_url=values.get("SITEMATCH_CTGOV_URL") or CTGOV_URL,
            public_url=values.get("SITEMATCH_PUBLIC_URL", "").rstrip("/"),
            access_log=_flag(values, "SITEMATCH_ACCESS_LOG", default=False),
            busy_timeout_s=_seconds(values, "SITEMATCH_BUSY_TIMEOUT_S", default=10.0, least=0.001, most=600),
            notices_every_s=_seconds(values, "SITEMATCH_NOTICES_EVERY_S", default=5.0, least=0, most=3600),
            webhooks_to_private=_flag(values, "SITEMATCH_WEBHOOKS_TO_PRIVATE", default=False),
            frame_ancestors=_frame_ancestors(values),
            tiles_url=_tiles_url(values),
            tiles_attribution=values.get("SITEMATCH_TILES_ATTRIBUTION", ""),
            count_demand=_flag(values, "SITEMATCH_COUNT_DEMAND", default=False),
            demand_threshold=_threshold(values, "SITEMATCH_DEMAND_THRESHOLD"),
        )


def data_file(name: str) -> Path:
    """Return the path of a data file: inside the installed package, or in a checkout's ``data/``.

    Parameters
    ----------
    name
        File name, e.g. ``"sites.csv"``. The file need not exist.
    """
    packaged = _PACKAGE / "_data" / name
    in_checkout = _PACKAGE.parent / "data" / name
    return in_checkout if in_checkout.exists() and not packaged.exists() else packaged


def _frame_ancestors(values: Mapping[str, str]) -> str:
    name = "SITEMATCH_FRAME_ANCESTORS"
    text = " ".join(values.get(name, "").split()) or "'none'"
    if text not in ("'none'", "*") and not all(_ANCESTOR.fullmatch(part) for part in text.split()):
        raise InvalidInput(
            f"{name} is {text!r}; set it to 'none', * or origins such as https://example.org, separated by spaces.",
            field=name,
        )
    return text


def _tiles_url(values: Mapping[str, str]) -> str:
    name = "SITEMATCH_TILES_URL"
    text = values.get(name, "").strip()
    if text and not (_TILES.fullmatch(text) and all(part in text for part in ("{z}", "{x}", "{y}"))):
        raise InvalidInput(
            f"{name} is {text!r}; set it to an http or https address with {{z}}, {{x}} and {{y}}, and one host.",
            field=name,
        )
    return text


def _router(values: Mapping[str, str]) -> str:
    name = "SITEMATCH_ROUTER"
    kind = values.get(name, "").strip().lower()
    if kind not in ("", "valhalla", "osrm"):
        raise InvalidInput(f"{name} is {kind!r}; set it to valhalla or osrm, or leave it out.", field=name)
    if kind and not values.get("SITEMATCH_ROUTER_URL"):
        raise InvalidInput(f"{name} needs SITEMATCH_ROUTER_URL, the router's address.", field="SITEMATCH_ROUTER_URL")
    return kind


def _flag(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = values.get(name)
    if text is None:
        return default
    folded = text.strip().lower()
    if folded in _TRUE:
        return True
    if folded in _FALSE:
        return False
    raise InvalidInput(f"{name} is {text!r}; set it to 1 or 0.", field=name)


def _seconds(values: Mapping[str, str], name: str, *, default: float, least: float, most: float) -> float:
    text = values.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not least <= seconds <= most:
        raise InvalidInput(f"{name} is {text!r}; set it to {least:g} to {most:g} seconds.", field=name)
    return seconds


def _threshold(values: Mapping[str, str], name: str) -> int:
    text = values.get(name)
    if not text:
        return DEMAND_THRESHOLD
    count = int(text) if text.isdecimal() else 0
    if not DEMAND_THRESHOLD <= count <= 1_000_000:
        raise InvalidInput(f"{name} is {text!r}; set it to {DEMAND_THRESHOLD} to 1000000.", field=name)
    return count

"""Settings, built once from a mapping (the environment at the edges), frozen ever after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sitematch.environment import DEMAND_THRESHOLD, LOG_FORMATS, LOG_LEVELS, Variables
from sitematch.rates import DEFAULT_RATES, RateKind

_PACKAGE = Path(__file__).parent
DEFAULT_STUDY_ID = "NCT06064929"
"""The study of a fresh install."""

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""The networks of this machine itself."""

CTGOV_URL = "https://clinicaltrials.gov/api/v2"
"""The documented address of ClinicalTrials.gov's API v2."""


VARIABLES = frozenset(
    f"SITEMATCH_{name}"
    for name in [
        "ACCESS_LOG",
        "ACTOR",
        "ALLOWED_HOSTS",
        "BACKUP_FOLDER",
        "BUSY_TIMEOUT_S",
        "CORS_ORIGINS",
        "COUNT_DEMAND",
        "CTGOV_URL",
        "DATABASE_URL",
        "DEMAND_THRESHOLD",
        "FRAME_ANCESTORS",
        "GAZETTEER",
        "GET_MATCHES",
        "HOME",
        "HOST",
        "LIMITS_STORAGE",
        "LIMIT_LOOKUPS",
        "LIMIT_PDFS",
        "LIMIT_REPORTS",
        "LIMIT_SIGN_INS",
        "LIMIT_WRITES",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "METRICS_HOST",
        "METRICS_PORT",
        "METRICS_TOKEN",
        "NOTICES_EVERY_S",
        "PORT",
        "PUBLIC_URL",
        "RATE_LIMITS",
        "REQUIRE_SECOND_FACTOR",
        "ROADS",
        "ROUTER",
        "ROUTER_TO_PUBLIC",
        "ROUTER_URL",
        "SESSION_IDLE_MINUTES",
        "STUDY",
        "THREADS",
        "TILES_ATTRIBUTION",
        "TILES_URL",
        "TRUSTED_PROXIES",
        "WEBHOOKS_TO_PRIVATE",
        "WORKERS",
    ]
)
"""Every variable that is read: a test holds it against the code."""


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
    log_format
        ``"console"`` for people, ``"json"`` for programs: one object a line. ``SITEMATCH_LOG_FORMAT``, console.
    log_level
        The least level that is logged: ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``. ``SITEMATCH_LOG_LEVEL``,
        info.
    metrics_token
        Who sends it as a bearer token may read ``/metrics``, which is not there without one; at least 16 characters.
        ``SITEMATCH_METRICS_TOKEN``, empty.
    metrics_host, metrics_port
        Where `serve` answers ``/metrics`` to everybody, apart from the service; port 0 does not.
        ``SITEMATCH_METRICS_HOST``, 127.0.0.1; ``SITEMATCH_METRICS_PORT``, 0.
    host, port
        Where `serve` listens. ``SITEMATCH_HOST``, 127.0.0.1; ``SITEMATCH_PORT``, 8000.
    workers, threads
        How many processes `serve` starts, 1 to 64, and how many threads each has for requests, 5 to 64, or 0 to choose
        by the machine. ``SITEMATCH_WORKERS``, 1; ``SITEMATCH_THREADS``, 0.
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

    backup_folder
        Where ``sitematch db backup`` is told to write, so that ``sitematch doctor`` can say how old the newest
        backup is. ``SITEMATCH_BACKUP_FOLDER``; None if it is not known.
    frame_ancestors
        Origins whose pages may show the finder in a frame, as CSP's ``frame-ancestors`` takes them.
        ``SITEMATCH_FRAME_ANCESTORS``, ``'none'``.
    cors_origins
        Origins whose scripts may call the public routes of the API in a browser, such as ``https://example.org``.
        ``SITEMATCH_CORS_ORIGINS``, separated by spaces or commas; none by default.
    tiles_url
        A map tile server's address with ``{z}``, ``{x}`` and ``{y}``; empty draws the map from our own data and asks
        nobody. ``SITEMATCH_TILES_URL``, empty.
    tiles_attribution
        Whom that server wants named, in plain text. ``SITEMATCH_TILES_ATTRIBUTION``, empty.
    allowed_hosts
        Names that requests may be sent to beside that of `public_url` and this machine's own; ``.example.org`` is a
        domain and all below it. Without either, every name is accepted. ``SITEMATCH_ALLOWED_HOSTS``, none.
    require_second_factor
        Whether administrators must set up a second factor before anything else.
        ``SITEMATCH_REQUIRE_SECOND_FACTOR``, off.
    session_idle_minutes
        How long a session of the console lasts without use, 1 to 720 minutes. ``SITEMATCH_SESSION_IDLE_MINUTES``, 15.
    trusted_proxies
        Addresses or networks of proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed.
        ``SITEMATCH_TRUSTED_PROXIES``, this machine; ``none`` trusts nobody.
    rate_limits
        Whether requests are limited by client address, token and account. ``SITEMATCH_RATE_LIMITS``, on.
    rates
        The limit of each kind, e.g. ``"600/minute"``; empty is no limit. ``SITEMATCH_LIMIT_LOOKUPS``, ``…_SIGN_INS``,
        ``…_WRITES``, ``…_REPORTS`` and ``…_PDFS``; the defaults are in `sitematch.rates`.
    limits_storage
        Where the counts are stored: ``memory://``, where each process counts for itself, or ``redis://host:6379``.
        ``SITEMATCH_LIMITS_STORAGE``, memory.
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
    log_format: str = "console"
    log_level: str = "info"
    metrics_token: str = field(default="", repr=False)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 0
    backup_folder: Path | None = None
    busy_timeout_s: float = 10.0
    notices_every_s: float = 5.0
    webhooks_to_private: bool = False
    frame_ancestors: str = "'none'"
    cors_origins: tuple[str, ...] = ()
    tiles_url: str = ""
    tiles_attribution: str = ""
    allowed_hosts: tuple[str, ...] = ()
    require_second_factor: bool = False
    session_idle_minutes: int = 15
    trusted_proxies: tuple[str, ...] = LOOPBACK
    rate_limits: bool = True
    rates: Mapping[RateKind, str] = field(default_factory=lambda: dict(DEFAULT_RATES))
    limits_storage: str = field(default="memory://", repr=False)
    count_demand: bool = False
    demand_threshold: int = DEMAND_THRESHOLD

    @property
    def has_metrics(self) -> bool:
        """Whether somebody may read metrics."""
        return bool(self.metrics_token or self.metrics_port)

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
            If values cannot be understood: the message tells of every one, and `.field` names the first variable.

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
        given = Variables(values)
        settings = cls(
            home=home,
            database_url=values.get("SITEMATCH_DATABASE_URL") or f"sqlite:///{home / 'sitematch.db'}",
            gazetteer_path=Path(gazetteer_text) if gazetteer_text else data_file("gazetteer.sqlite"),
            roads_path=Path(values["SITEMATCH_ROADS"]) if values.get("SITEMATCH_ROADS") else data_file("roads.sqlite"),
            router=given.router("SITEMATCH_ROUTER", "SITEMATCH_ROUTER_URL"),
            router_url=values.get("SITEMATCH_ROUTER_URL", ""),
            router_to_public=given.flag("SITEMATCH_ROUTER_TO_PUBLIC", default=False),
            study_id=values.get("SITEMATCH_STUDY") or DEFAULT_STUDY_ID,
            get_matches=given.flag("SITEMATCH_GET_MATCHES", default=True),
            ctgov_url=values.get("SITEMATCH_CTGOV_URL") or CTGOV_URL,
            public_url=values.get("SITEMATCH_PUBLIC_URL", "").rstrip("/"),
            access_log=given.flag("SITEMATCH_ACCESS_LOG", default=False),
            log_format=given.choice("SITEMATCH_LOG_FORMAT", LOG_FORMATS, default="console"),
            log_level=given.choice("SITEMATCH_LOG_LEVEL", LOG_LEVELS, default="info"),
            metrics_token=given.secret("SITEMATCH_METRICS_TOKEN"),
            metrics_host=values.get("SITEMATCH_METRICS_HOST") or "127.0.0.1",
            metrics_port=given.count("SITEMATCH_METRICS_PORT", default=0, least=0, most=65535),
            host=values.get("SITEMATCH_HOST") or "127.0.0.1",
            port=given.count("SITEMATCH_PORT", default=8000, least=1, most=65535),
            workers=given.count("SITEMATCH_WORKERS", default=1, least=1, most=64),
            threads=given.count("SITEMATCH_THREADS", default=0, least=5, most=64, also=0),
            busy_timeout_s=given.seconds("SITEMATCH_BUSY_TIMEOUT_S", default=10.0, least=0.001, most=600),
            notices_every_s=given.seconds("SITEMATCH_NOTICES_EVERY_S", default=5.0, least=0, most=3600),
            webhooks_to_private=given.flag("SITEMATCH_WEBHOOKS_TO_PRIVATE", default=False),
            backup_folder=Path(backups).expanduser() if (backups := values.get("SITEMATCH_BACKUP_FOLDER")) else None,
            frame_ancestors=given.frame_ancestors("SITEMATCH_FRAME_ANCESTORS"),
            cors_origins=given.origins("SITEMATCH_CORS_ORIGINS"),
            tiles_url=given.tiles_url("SITEMATCH_TILES_URL"),
            tiles_attribution=values.get("SITEMATCH_TILES_ATTRIBUTION", ""),
            allowed_hosts=given.hosts("SITEMATCH_ALLOWED_HOSTS"),
            require_second_factor=given.flag("SITEMATCH_REQUIRE_SECOND_FACTOR", default=False),
            session_idle_minutes=given.count("SITEMATCH_SESSION_IDLE_MINUTES", default=15, least=1, most=720),
            trusted_proxies=given.networks("SITEMATCH_TRUSTED_PROXIES", default=LOOPBACK),
            rate_limits=given.flag("SITEMATCH_RATE_LIMITS", default=True),
            rates={kind: given.rate(kind.variable, default=DEFAULT_RATES[kind]) for kind in RateKind},
            limits_storage=given.limits_storage("SITEMATCH_LIMITS_STORAGE"),
            count_demand=given.flag("SITEMATCH_COUNT_DEMAND", default=False),
            demand_threshold=given.count(
                "SITEMATCH_DEMAND_THRESHOLD", default=DEMAND_THRESHOLD, least=DEMAND_THRESHOLD, most=1_000_000
            ),
        )
        given.raise_faults()
        return settings


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

"""PostgreSQL: addresses of several hosts, and the limits that every connection has."""

from __future__ import annotations

import re

import sqlalchemy as sa

from sitematch.errors import InvalidInput

STATEMENT_TIMEOUT_S = 120
"""No statement of ours takes longer on a database that is well; one that does must not hold a connection for ever."""

CONNECT_TIMEOUT_S = 10

_SEVERAL_HOSTS = re.compile(
    r"(?P<start>postgres(?:ql)?(?:\+\w{1,20})?://(?:[^@/]*@)?)"
    r"(?P<hosts>[^/?@,]*,[^/?@]*)"
    r"(?P<rest>(?:[/?].*)?)",
    re.DOTALL,
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII)


def parse_address(text: str) -> sa.URL:
    """Read a database's address; one of PostgreSQL may name several hosts, as libpq's may.

    Parameters
    ----------
    text
        E.g. ``"postgresql://user@db1:5432,db2:5432/sitematch"``: a primary and its standbys. The one that can be
        written is used, whichever it is.

    Raises
    ------
    InvalidInput
        If it is no address.

    Examples
    --------
    >>> parse_address("postgresql://ann@db1,db2:6432/x").query["host"]
    ('db1:5432', 'db2:6432')
    """
    wrong = InvalidInput("The database address is not valid.", field="database_url")
    found = _SEVERAL_HOSTS.fullmatch(text)
    try:
        if found is None:
            return sa.make_url(text)
        hosts = [_HOST.fullmatch(each) for each in found["hosts"].split(",")]
        url = sa.make_url(found["start"] + found["rest"])
    except sa.exc.ArgumentError as error:
        raise wrong from error
    named = [f"{host[1]}:{host[2] or 5432}" for host in hosts if host is not None]
    if len(named) != len(hosts):
        raise wrong
    query = {"target_session_attrs": "read-write", **url.query, "host": tuple(named)}
    return url.set(query=query)


def host_of(url: sa.URL) -> str:
    """Return the host, or all of them, for people."""
    named = url.query.get("host", ())
    several = [named] if isinstance(named, str) else list(named)
    if url.host:
        return f"{url.host}{f':{url.port}' if url.port else ''}"
    return ", ".join(several) or "this machine"


def connect_arguments(busy_timeout_s: float) -> dict[str, object]:
    """Return what the driver is told of every connection.

    Parameters
    ----------
    busy_timeout_s
        How long a statement waits for a lock, in seconds.
    """
    options = (
        # An operator's faster default would lose confirmed spots in a crash.
        "-c synchronous_commit=on",
        "-c idle_in_transaction_session_timeout=60000",
        f"-c lock_timeout={int(busy_timeout_s * 1000)}",
        f"-c statement_timeout={STATEMENT_TIMEOUT_S * 1000}",
    )
    return {
        "options": " ".join(options),
        "connect_timeout": CONNECT_TIMEOUT_S,
        # A server that vanished without a word, as in a failover, is noticed within a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }

"""What an event of the waiting list holds: the one place that writes and reads its text."""

from __future__ import annotations

import msgspec


class WaitingDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The detail of an event WAITING, or WAIT_TRANSFERRED.

    Parameters
    ----------
    priority
        Higher numbers come first.
    site_ids
        The sites that the patient would travel to, preferred site first.
    joined_seq, joined_us
        The event with which it joined, and when (microseconds since 1970), if this event only changed its sites: it
        keeps its place. None otherwise.

    Examples
    --------
    >>> WaitingDetail(priority=0, site_ids=("a", "b")).text()
    '{"priority":0,"site_ids":["a","b"]}'
    >>> WaitingDetail.of('{"priority":2,"site_ids":["a"]}').site_ids
    ('a',)
    """

    priority: int
    site_ids: tuple[str, ...]
    joined_seq: int | None = None
    joined_us: int | None = None

    def text(self) -> str:
        """Return it as the JSON text that the ledger keeps."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, text: str) -> WaitingDetail:
        """Read what `text` wrote."""
        return msgspec.json.decode(text, type=cls)

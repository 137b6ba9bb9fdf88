"""What the event of joining the waiting list holds: the one place that writes and reads its text."""

from __future__ import annotations

import msgspec


class WaitingDetail(msgspec.Struct, frozen=True):
    """The detail of an event WAITING.

    Parameters
    ----------
    priority
        Higher numbers come first.
    site_ids
        The sites that the patient would travel to, preferred site first.

    Examples
    --------
    >>> WaitingDetail(priority=0, site_ids=("a", "b")).text()
    '{"priority":0,"site_ids":["a","b"]}'
    >>> WaitingDetail.of('{"priority":2,"site_ids":["a"]}').site_ids
    ('a',)
    """

    priority: int
    site_ids: tuple[str, ...]

    def text(self) -> str:
        """Return it as the JSON text that the ledger keeps."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, text: str) -> WaitingDetail:
        """Read what `text` wrote."""
        return msgspec.json.decode(text, type=cls)

"""Uploaded files between preview and import: on this machine's disk, for an hour, only for their sender."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from werkzeug.datastructures import FileStorage

from sitematch.errors import InvalidInput
from sitematch.exporters.wire.matches import Wire
from sitematch.services.studies.sources import ImportSource

KEPT_FOR = timedelta(hours=1)
"""How long an upload is kept for its import."""

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".json", ".ndjson", ".jsonl", ".xml", ".gz", ".zip"})


class UploadDetails(Wire, frozen=True):
    """The details of an upload."""

    actor_id: str
    name: str
    form: ImportSource
    study_id: str
    allow_older: bool
    allow_left_out: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """A stored upload.

    Parameters
    ----------
    upload_id
        Its random id in URLs.
    path
        The file.
    about
        Its details.
    """

    upload_id: str
    path: Path
    about: UploadDetails


def park(home: Path, sent: FileStorage, about: UploadDetails) -> PendingUpload:
    """Write an upload to the disk, and remove expired ones.

    Parameters
    ----------
    home
        The folder for sitematch's files.
    sent
        The file.
    about
        Its details.

    Raises
    ------
    OSError
        If the disk cannot be written.
    """
    folder = home / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        found = _read(other)
        # An incomplete upload of a server that was ended has no details; the file time shows its age.
        sent_at = found.about.at if found else datetime.fromtimestamp(other.stat().st_mtime, UTC)
        if sent_at <= about.at - KEPT_FOR:
            shutil.rmtree(other, ignore_errors=True)
    upload_id = secrets.token_hex(16)
    own = folder / upload_id
    own.mkdir(mode=0o700)
    suffix = Path(about.name).suffix.lower()
    path = own / f"file{suffix if suffix in _SUFFIXES else ''}"
    try:
        sent.save(path)
        (own / "about.json").write_bytes(msgspec.json.encode(about))
    except BaseException:
        shutil.rmtree(own, ignore_errors=True)
        raise
    return PendingUpload(upload_id, path, about)


def find(home: Path, upload_id: str, actor_id: str, now: datetime) -> PendingUpload:
    """Return an upload of the person that has not expired.

    Raises
    ------
    InvalidInput
        If there is none: it was imported or removed, has expired, or belongs to somebody else.
    """
    found = _read(home / "uploads" / upload_id) if _UPLOAD_ID.fullmatch(upload_id) else None
    if found is None or found.about.actor_id != actor_id or found.about.at <= now - KEPT_FOR:
        raise InvalidInput(
            "This upload has expired or was already imported. Upload the file again.",
            field="upload",
        )
    return found


def remove(parked: PendingUpload) -> None:
    """Remove an upload."""
    shutil.rmtree(parked.path.parent, ignore_errors=True)


def _read(folder: Path) -> PendingUpload | None:
    about = folder / "about.json"
    if not about.is_file():
        return None
    path = next(iter(sorted(folder.glob("file*"))), None)
    try:
        return (
            None
            if path is None
            else PendingUpload(folder.name, path, msgspec.json.decode(about.read_bytes(), type=UploadDetails))
        )
    except msgspec.DecodeError:
        return None  # an incomplete upload

"""Imports for tests, and a watcher that records events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sitematch.domain.studies.change import ChangeKind, StudyChange
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord, StudyRecord
from sitematch.domain.studies.site import Site
from sitematch.errors import Fault
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.ctgov import parse_study, read_file
from sitematch.services.studies.importing import import_records
from sitematch.store.engine import Store

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)


class Memory:
    """Records the events of an import in plain lists."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.notices: list[tuple[str, str]] = []
        self.contradictions: list[tuple[Site, str, str]] = []
        self.unplaced_sites: list[tuple[Site, str]] = []
        self.changes: list[StudyChange] = []

    def fault(self, fault: Fault, /) -> None:
        self.faults.append(fault)

    def notice(self, where: str, text: str, /) -> None:
        self.notices.append((where, text))

    def contradiction(self, site: Site, where: str, flag: str, /) -> None:
        self.contradictions.append((site, where, flag))

    def unplaced(self, site: Site, where: str, /) -> None:
        self.unplaced_sites.append((site, where))

    def change(self, change: StudyChange, /) -> None:
        self.changes.append(change)

    def progress(self, studies: int, sites: int, /) -> None:
        pass

    def kinds(self) -> dict[ChangeKind, int]:
        return {kind: count for change in self.changes for kind, count in change.counts().items()}


class Importer:
    """Imports records or files into one store."""

    def __init__(self, store: Store, gazetteer: Gazetteer) -> None:
        self.store = store
        self.gazetteer = gazetteer
        self.heard = Memory()

    def records(self, *values: Any, contacts: bool = False, **options: Any) -> ImportTotals:
        """Import decoded JSON records."""
        read = (
            parse_study(json.loads(json.dumps(v)), date(2026, 3, 1), where=f"record {n}", contacts=contacts)
            for n, v in enumerate(values, 1)
        )
        return self.bring(read, **options)

    def file(self, path: Path, **options: Any) -> ImportTotals:
        return self.bring(read_file(path, date(2026, 3, 1)), **options)

    def bring(self, read: Iterable[StudyRecord | CatalogueRecord | Fault], **options: Any) -> ImportTotals:
        """Import an importer's records."""
        self.heard = Memory()
        totals, self.import_id = import_records(
            self.store, self.gazetteer, read, origin="ctgov", source="test", now=NOW, watcher=self.heard, **options
        )
        return totals

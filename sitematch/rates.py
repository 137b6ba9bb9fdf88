"""Kinds of rate limits, and the default of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RateKind(StrEnum):
    """A kind of request with a limit of its own."""

    LOOKUPS = "lookups"
    """Look-ups, and everything else that only reads: ``SITEMATCH_LIMIT_LOOKUPS``."""
    SIGN_INS = "sign-ins"
    """Attempts to sign in or to change a password: ``SITEMATCH_LIMIT_SIGN_INS``."""
    WRITES = "writes"
    """Requests that change something: ``SITEMATCH_LIMIT_WRITES``."""
    REPORTS = "reports"
    """Reports, coverage, allocations and bulk exports in any format but PDF: ``SITEMATCH_LIMIT_REPORTS``."""
    PDFS = "pdfs"
    """Reports as PDF files, which take the longest to make: ``SITEMATCH_LIMIT_PDFS``."""

    @property
    def variable(self) -> str:
        """The variable of the environment that sets this limit."""
        return f"SITEMATCH_LIMIT_{self.name}"


DEFAULT_RATES: Mapping[RateKind, str] = {
    RateKind.LOOKUPS: "600/minute",
    RateKind.SIGN_INS: "30/5 minutes",
    RateKind.WRITES: "300/minute",
    RateKind.REPORTS: "120/minute",
    RateKind.PDFS: "20/minute",
}
"""For each client address, and again for each token or account. A hospital may share one address among many people."""

"""ClinicalTrials.gov's API v2 over the network: paged, polite, patient, and able to go on where it stopped.

Only ids of studies and words of a condition are ever sent; nothing of a patient is.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitematch import __version__
from sitematch.errors import InvalidInput, OnlineUnavailable, StudyNotFound
from sitematch.importers.http_answers import AnswerRefused, SameHostRedirects, read_answer

PAGE_SIZE = 200
"""Studies asked for at once; the API gives at most 1,000."""

IDS_AT_ONCE = 100
"""Ids in one question; more would make the address too long for some proxies."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestManners:
    """How a registry is asked.

    Parameters
    ----------
    interval_s
        Between the starts of two requests, in seconds. ClinicalTrials.gov allows about 50 a minute.
    tries
        How often one request is made in all.
    back_off_s
        Wait before the second try, in seconds; doubled each time, at most a minute. A ``Retry-After`` goes before it.
    timeout_s
        How long an answer may keep silent, in seconds.
    answer_s
        How long an answer may take in all, in seconds.
    answer_bytes
        How large it may be, unpacked; the longest record that is known has some 10 million characters.
    """

    interval_s: float = 1.25
    tries: int = 6
    back_off_s: float = 1.0
    timeout_s: float = 30.0
    answer_s: float = 300.0
    answer_bytes: int = 128 << 20


class CtgovClient:
    """Asks one registry that speaks ClinicalTrials.gov's API v2.

    Parameters
    ----------
    base_url
        E.g. ``"https://clinicaltrials.gov/api/v2"``.
    manners
        How fast and how patiently.
    say
        Takes a line when an answer is waited for.
    sleep, monotonic_s
        The clock; tests pass their own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        manners: RequestManners | None = None,
        say: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
            raise InvalidInput(f"The registry's address {base_url!r} must start with http or https.", field="ctgov_url")
        self._base = base_url.rstrip("/")
        self._manners = manners or RequestManners()
        self._say = say
        self._sleep = sleep
        self._monotonic_s = monotonic_s
        self._next_at_s = 0.0
        self._opener = urllib.request.build_opener(SameHostRedirects)

    def study(self, nct_id: str) -> Any:
        """Fetch one study's record.

        Raises
        ------
        StudyNotFound
            If the registry has none of that id.
        InvalidInput
            If it does not understand the id.
        OnlineUnavailable
            If it cannot be reached, or gives no usable answer after all tries.
        """
        try:
            return self._get(f"/studies/{urllib.parse.quote(nct_id)}", {})
        except _Missing as missing:
            raise StudyNotFound(f"The registry has no study {nct_id}; check the number.", field="study_id") from missing

    def page(self, question: dict[str, str], token: str | None = None) -> tuple[list[Any], str | None]:
        """Fetch one page of studies.

        Parameters
        ----------
        question
            Parameters of the API, e.g. ``{"query.cond": "lupus nephritis"}``.
        token
            Where to go on; None for the first page.

        Returns
        -------
        tuple
            The records, and the token of the next page: None if there is none.

        Raises
        ------
        InvalidInput
            If the registry does not understand the question, or no longer knows the token.
        OnlineUnavailable
            See `study`.
        """
        asked = {"pageSize": str(PAGE_SIZE), **question} | ({"pageToken": token} if token else {})
        try:
            answer = self._get("/studies", asked)
        except _Missing as missing:
            raise OnlineUnavailable(f"{self._base} has no studies. Check the address.") from missing
        studies = answer.get("studies") if isinstance(answer, dict) else None
        if not isinstance(studies, list):
            raise OnlineUnavailable(f"{self._base} does not answer like the ClinicalTrials.gov API v2.")
        following = answer.get("nextPageToken")
        return studies, following if isinstance(following, str) and following else None

    def _get(self, path: str, question: dict[str, str]) -> Any:
        url = self._base + path + ("?" + urllib.parse.urlencode(question) if question else "")
        wait_s = self._manners.back_off_s
        for attempt in range(1, self._manners.tries + 1):
            self._keep_pace()
            try:
                return self._ask(url)
            except _Again as trouble:
                reason = trouble
            if attempt < self._manners.tries:
                pause_s = min(max(wait_s, reason.retry_after_s), _LONGEST_WAIT_S)
                self._say(f"{reason}; trying again in {pause_s:.0f} s (try {attempt} of {self._manners.tries}).")
                self._sleep(pause_s)
                wait_s *= 2
        raise OnlineUnavailable(
            f"The registry at {self._base} gave no usable answer in {self._manners.tries} tries ({reason}). "
            "Run the same command again later: it continues where it stopped."
        ) from reason

    def _keep_pace(self) -> None:
        now_s = self._monotonic_s()
        if now_s < self._next_at_s:
            self._sleep(self._next_at_s - now_s)
        self._next_at_s = max(now_s, self._next_at_s) + self._manners.interval_s

    def _ask(self, url: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when the client was made
            url,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"sitematch/{__version__}",
            },
        )
        try:
            with self._opener.open(request, timeout=self._manners.timeout_s) as answer:
                body = read_answer(
                    answer,
                    most_bytes=self._manners.answer_bytes,
                    most_s=self._manners.answer_s,
                    monotonic_s=self._monotonic_s,
                )
            return json.loads(body)
        except AnswerRefused as error:
            raise OnlineUnavailable(f"The answer of the registry at {self._base} {error}.") from error
        except urllib.error.HTTPError as error:
            with error:
                raise _meaning(error) from error
        except urllib.error.URLError as error:
            raise _Again(f"The registry could not be reached ({error.reason})") from error
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
            raise _Again(f"The answer was cut off ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise _Again("The answer is not JSON") from error


class _Missing(Exception):
    """The registry says that there is no such thing."""


class _Again(Exception):
    """What may go better at the next try."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def _meaning(error: urllib.error.HTTPError) -> Exception:
    if error.code == 404:
        return _Missing(str(error))
    if error.code in _AGAIN:
        wait = error.headers.get("Retry-After", "") if error.headers else ""
        return _Again(f"The registry answered {error.code}", float(wait) if wait.isdecimal() else 0.0)
    told = error.read(500).decode("utf-8", "replace").strip()
    if error.code == 400:
        return InvalidInput(f"The registry rejected the request: {told or 'it gave no reason'}")
    return OnlineUnavailable(f"The registry answered {error.code}, and trying again does not help: {told[:200]}")


def questions_for(nct_ids: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Give the questions that fetch studies by their ids, some `IDS_AT_ONCE` in each.

    Examples
    --------
    >>> questions_for(["NCT00000001", "NCT00000002"])
    ({'filter.ids': 'NCT00000001,NCT00000002'},)
    """
    return tuple(
        {"filter.ids": ",".join(nct_ids[start : start + IDS_AT_ONCE])} for start in range(0, len(nct_ids), IDS_AT_ONCE)
    )


def download(
    client: CtgovClient,
    questions: Sequence[dict[str, str]],
    into: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    keep: Callable[[Any], Any] = lambda record: record,
) -> Iterator[Any]:
    """Fetch all pages of some questions, remembering after each page how far it came.

    Parameters
    ----------
    client
        Whom to ask.
    questions
        See `CtgovClient.page`; each is asked to its last page.
    into
        A file that keeps the records until all have come, one a line; beside it ``.state`` says where to go on. Both
        are gone when the iteration has ended, and are taken up again by the next call with the same questions.
    progress
        Takes the number of studies that have come.
    keep
        Gives what is to be kept of a record; all of it if omitted.

    Yields
    ------
    Any
        Decoded records, in the registry's order, once all have come.

    Raises
    ------
    InvalidInput, OnlineUnavailable
        See `CtgovClient.page`; what has come is kept.
    """
    state_file = into.with_name(into.name + ".state")
    into.parent.mkdir(parents=True, exist_ok=True)
    state = _State.read(state_file, list(questions), into)
    with into.open("r+b" if into.exists() else "w+b") as file:
        file.truncate(state.length)
        file.seek(state.length)
        while state.question < len(questions):
            resumed = state.token is not None
            try:
                studies, token = client.page(questions[state.question], state.token)
            except InvalidInput:
                if not resumed:
                    raise
                # Tokens do not live for ever: the question is asked again from its first page.
                state = _State(state.asked, state.question, None, state.started_at, state.started_at, state.started)
                state.count = state.started
                file.truncate(state.length)
                file.seek(state.length)
                continue
            for study in studies:
                file.write(json.dumps(keep(study), separators=(",", ":")).encode() + b"\n")
            file.flush()
            state.advance(token, file.tell(), len(studies))
            state.write(state_file)
            progress(state.count)
        file.seek(0)
        for line in file:
            yield json.loads(line)
    into.unlink()
    state_file.unlink(missing_ok=True)


@dataclass(slots=True)
class _State:
    """How far a download came."""

    asked: list[dict[str, str]]
    question: int = 0
    token: str | None = None
    length: int = 0
    started_at: int = 0
    started: int = 0
    count: int = 0

    @classmethod
    def read(cls, path: Path, asked: list[dict[str, str]], records: Path) -> _State:
        """Read the state of the same questions; anything else begins anew."""
        try:
            state = cls(**json.loads(path.read_bytes()))
            usable = state.asked == asked and records.stat().st_size >= state.length
        except (OSError, ValueError, TypeError):
            return cls(asked)
        return state if usable else cls(asked)

    def advance(self, token: str | None, length: int, studies: int) -> None:
        self.token, self.length, self.count = token, length, self.count + studies
        if token is None:
            self.question, self.started_at, self.started = self.question + 1, length, self.count

    def write(self, path: Path) -> None:
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps({name: getattr(self, name) for name in self.__slots__}), encoding="utf-8")
        beside.replace(path)

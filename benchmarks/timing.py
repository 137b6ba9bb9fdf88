"""Fair timing: rivals interleaved in one process, medians of rounds, ratios to the first."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Work = TypeVar("Work")


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work.

    Parameters
    ----------
    name
        What the table calls it.
    do
        Does one piece of work; its result is thrown away here and checked elsewhere.
    pieces
        How many pieces a round does; fewer for the slow, so that a round stays short.
    """

    name: str
    do: Callable[[int], object]
    pieces: int


def race(
    contestants: Sequence[Contestant], *, rounds: int = 7, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Time contestants in turn, round by round.

    Parameters
    ----------
    contestants
        Each does pieces 0, 1, … of the same work.
    rounds
        How often each runs; one more before them is not counted.
    clock
        Gives seconds; ``time.process_time`` counts only this process's own work, which a busy machine does not change.

    Returns
    -------
    dict
        Median microseconds a piece, by name, in the order given.
    """
    samples: dict[str, list[float]] = {c.name: [] for c in contestants}
    for round_ in range(rounds + 1):
        for contestant in contestants:
            start = clock()
            for piece in range(contestant.pieces):
                contestant.do(piece)
            elapsed = clock() - start
            if round_:
                samples[contestant.name].append(elapsed / contestant.pieces * 1e6)
    return {name: statistics.median(values) for name, values in samples.items()}


def print_table(title: str, medians: dict[str, float], remarks: dict[str, str]) -> None:
    """Print medians, ratios to the first row, and a remark for each."""
    first = next(iter(medians.values()))
    print(f"\n{title}\n{'':44}{'µs':>10}{'ratio':>9}  remark")
    for name, value in medians.items():
        print(f"{name:44}{value:10.1f}{value / first:9.2f}  {remarks.get(name, '')}")

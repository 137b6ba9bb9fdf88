"""``make forecast``: 200 studies in each world, forecast and compared; the table goes into docs/forecast.md.

Run ``python -m benchmarks.forecast``. The studies are the same in every run. It takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.forecast.score import Score, score
from benchmarks.forecast.worlds import WORLDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "forecast.md"
START, END = "<!-- table of worlds -->", "<!-- end of table -->"
TOLD = "sites open one after another"
"""The world that is also judged with opening days recorded."""


def judge(asked: tuple[str, int, bool, bool]) -> Score:
    """Score one world."""
    name, studies, knows_openings, is_constant = asked
    return score(WORLDS[name], studies, knows_openings=knows_openings, is_constant=is_constant, claims=not is_constant)


def table(studies: int) -> Iterator[str]:
    """Yield the table's lines, each as soon as it is known."""
    yield f"{studies} studies a world, {datetime.now(UTC):%Y-%m-%d}:"
    yield ""
    yield (
        "| world | in the 80 % interval | with constant rates | interval score | with constant rates | bias | "
        '"likely full" said | true | stated |'
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    rows = [(name, False) for name in WORLDS] + [(TOLD, True)]
    asked = [(name, studies, told, is_constant) for name, told in rows for is_constant in (False, True)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        scores = pool.map(judge, asked)
        for name, told in rows:
            found, constant = next(scores), next(scores)
            yield (
                f"| {name}{', days recorded' if told else ''} | {100 * found.covered:.1f} % "
                f"| {100 * constant.covered:.1f} % | {found.interval_score:.2f} | {constant.interval_score:.2f} "
                f"| {100 * found.bias:+.0f} % | {found.claims} | {100 * found.true:.0f} % | {100 * found.said:.0f} % |"
            )


def main() -> None:
    """Print the table and write it into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--print", action="store_true", help="only print it")
    chosen = parser.parse_args()
    lines = []
    for line in table(chosen.studies):
        print(line, flush=True)
        lines.append(line)
    if not chosen.print:
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
        _, _, after = rest.partition(END)
        text = "\n".join([START, *lines, END])
        DOCS.write_text(f"{before}{text}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

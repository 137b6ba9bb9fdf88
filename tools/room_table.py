"""Write the table of rooms in CONTRIBUTING.md from the packages' own first lines; a test holds it in step.

Run ``python -m tools.room_table``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "CONTRIBUTING.md"
BETWEEN = re.compile(r"(<!-- table of rooms -->\n).*?(<!-- end of table -->)", re.DOTALL)


def rooms() -> Iterator[tuple[str, str]]:
    """Give each package of the program and what its docstring says first, in the order of their paths."""
    for top in ("sitematch", "api"):
        for path in sorted((ROOT / top).rglob("__init__.py")):
            room = path.parent.relative_to(ROOT).as_posix()
            if "/_" not in room and not room.endswith("/versions"):
                said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                yield room, said.partition("\n")[0]


def table() -> str:
    """Give the table as Markdown."""
    lines = ["| room | holds |", "|---|---|"]
    lines += [f"| `{room}/` | {said} |" for room, said in rooms()]
    return "\n".join(lines).replace("``", "`") + "\n"


def filled(text: str) -> str:
    """Give the document's text with the table renewed."""
    return BETWEEN.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")

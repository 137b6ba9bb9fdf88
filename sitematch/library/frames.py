"""Data frames of pandas, Polars and Arrow in and out, without a copy of one kind into another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sitematch.errors import InvalidInput
from sitematch.extras import needs_extra


class FrameKind(Protocol):
    """What is needed of a kind of data frame."""

    def names(self, frame: Any, /) -> list[str]:
        """Return the names of the columns."""
        ...

    def values(self, frame: Any, name: str, /) -> list[Any]:
        """Return a column as Python values; None or NaN where it is empty."""
        ...

    def ids(self, frame: Any, name: str | None, rows: Any, /) -> Any:
        """Return the ids of the rows at these positions: a column, or what numbers the rows."""
        ...

    def build(self, columns: Mapping[str, Sequence[Any]], rows: Any | None, ids: Any, /) -> Any:
        """Return a frame with the ids in the column `patient`, then the rows of the columns at these positions."""
        ...


WHOLE_COLUMNS = ("rank", "band", "remaining")
DECIMAL_COLUMNS = ("distance_km", "distance_uncertainty_km")


class _Pandas:
    def names(self, frame: Any) -> list[str]:
        return [str(name) for name in frame.columns]

    def values(self, frame: Any, name: str) -> list[Any]:
        found: list[Any] = frame[name].tolist()
        return found

    def ids(self, frame: Any, name: str | None, rows: Any) -> Any:
        return (frame.index if name is None else frame[name]).to_numpy()[rows]

    def build(self, columns: Mapping[str, Sequence[Any]], rows: Any | None, ids: Any) -> Any:
        with needs_extra("pandas", "A data frame"):
            import pandas as pd

        # A category is a number: five million rows of a site's name take 20 MB instead of 300.
        small = pd.DataFrame({name: self._column(name, values) for name, values in columns.items()})
        frame = small if rows is None else small.take(rows)
        frame = frame.reset_index(drop=True)
        frame.insert(0, "patient", ids)
        return frame

    @staticmethod
    def _column(name: str, values: Sequence[Any]) -> Any:
        import pandas as pd

        if name in WHOLE_COLUMNS:
            return pd.array(values, dtype="Int64")
        if name in DECIMAL_COLUMNS:
            return pd.array(values, dtype="float64")
        if name == "outside_radius":
            return pd.array(values, dtype="bool")
        return pd.Categorical(values) if name != "why" else pd.Series(values, dtype=object)


class _Polars:
    def names(self, frame: Any) -> list[str]:
        return list(frame.columns)

    def values(self, frame: Any, name: str) -> list[Any]:
        found: list[Any] = frame[name].to_list()
        return found

    def ids(self, frame: Any, name: str | None, rows: Any) -> Any:
        import polars as pl

        return pl.Series("patient", rows) if name is None else frame[name].gather(rows).alias("patient")

    def build(self, columns: Mapping[str, Sequence[Any]], rows: Any | None, ids: Any) -> Any:
        import polars as pl

        kinds: dict[str, Any] = {"outside_radius": pl.Boolean}
        kinds |= dict.fromkeys(WHOLE_COLUMNS, pl.Int64) | dict.fromkeys(DECIMAL_COLUMNS, pl.Float64)
        small = pl.DataFrame(dict(columns), schema={name: kinds.get(name, pl.String) for name in columns})
        frame = small if rows is None else small[rows]
        return frame.insert_column(0, ids)


class _Arrow:
    def names(self, frame: Any) -> list[str]:
        return list(frame.schema.names)

    def values(self, frame: Any, name: str) -> list[Any]:
        found: list[Any] = frame.column(name).to_pylist()
        return found

    def ids(self, frame: Any, name: str | None, rows: Any) -> Any:
        import pyarrow as pa

        return pa.array(rows) if name is None else frame.column(name).take(pa.array(rows))

    def build(self, columns: Mapping[str, Sequence[Any]], rows: Any | None, ids: Any) -> Any:
        import pyarrow as pa

        kinds = dict.fromkeys(WHOLE_COLUMNS, pa.int64()) | dict.fromkeys(DECIMAL_COLUMNS, pa.float64())
        kinds["outside_radius"] = pa.bool_()
        small = pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()})
        frame = small if rows is None else small.take(pa.array(rows))
        return frame.add_column(0, "patient", [ids] if isinstance(ids, pa.Array) else ids)


_KINDS: dict[tuple[str, str], Callable[[], FrameKind]] = {
    ("pandas", "DataFrame"): _Pandas,
    ("polars", "DataFrame"): _Polars,
    ("pyarrow", "Table"): _Arrow,
    ("pyarrow", "RecordBatch"): _Arrow,
}


def frame_kind(frame: object) -> FrameKind:
    """Return how to read and build frames of the kind of this one; nothing is imported for it.

    Raises
    ------
    InvalidInput
        If it is not a pandas or Polars DataFrame or an Arrow Table.
    """
    for kind in type(frame).__mro__:
        found = _KINDS.get((kind.__module__.partition(".")[0], kind.__name__))
        if found is not None:
            return found()
    raise InvalidInput(
        f"A {type(frame).__name__} is not a data frame. Give a pandas or Polars DataFrame or an Arrow Table.",
        field="frame",
    )

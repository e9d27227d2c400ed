"""Results of stages from earlier runs, for a run in which nothing of what made them has changed.

A result is taken over only if the stage, every value that it was given and all code are the same:
then it is what the stage would make anew. Derived, can be deleted; as internal as the store.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from io import BytesIO
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import TypeVar, cast

import numpy as np
import pandas as pd

from pipeline.store import replaced

Result = TypeVar("Result")

_ROOT = Path(__file__).parent
_PACKAGES = ("highspy", "numpy", "pandas", "pandera", "pyarrow", "scipy")
_SEAL = "seal"
_AS_WRITTEN = (NoneType, bool, int, float, type(pd.NA))
"""Types whose `repr` tells all values apart."""


def kept(
    place: Path, stage: Callable[..., Result], args: tuple[object, ...], given: Mapping[str, object]
) -> tuple[Result, bool]:
    """What a stage makes of its arguments, and whether that was made before and is only read.

    `place`: the folder of the stage's last result, which a new one replaces. The result is a table
    or a tuple of tables; one that would not be read as it was made is not kept. A folder that is
    damaged counts as none. Raises TypeError for what `digest` does not know.
    """
    key = digest((stage.__module__, stage.__qualname__, _CODE, args, dict(given)))
    before = _read(place, key)
    if before is not None:
        return cast("Result", before), True
    result = stage(*args, **given)
    _write(place, key, result)
    return result, False


def digest(value: object) -> bytes:
    """SHA-256 of a value: another one for any other value or type, the same in every process.

    Plain values, lists, tuples, dicts (in their order), dataclasses, and tables: index, and names,
    types and values of the columns, in their order. Raises TypeError for anything else.
    """
    kind = type(value)
    if kind in _AS_WRITTEN:
        return _hash(kind.__name__, repr(value).encode())
    if isinstance(value, pd.DataFrame):  # also one that pandera validated
        names = digest([*value.columns.names, *value.index.names, value.attrs])
        columns = [_values(column) for _, column in value.items()]
        return _hash("table", names, _values(value.columns), _values(value.index), *columns)
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        return _hash("dataclass", digest(f"{kind.__module__}.{kind.__qualname__}"), digest(content))
    if kind is str:
        return _hash("str", cast("str", value).encode(errors="surrogatepass"))
    if kind is bytes:
        return _hash("bytes", cast("bytes", value))
    if kind in (list, tuple):
        return _hash(kind.__name__, *map(digest, cast("Iterable[object]", value)))
    if kind is dict:
        pairs = chain.from_iterable(cast("dict[object, object]", value).items())
        return _hash("dict", *map(digest, pairs))
    raise TypeError(f"no digest of a {kind.__module__}.{kind.__qualname__}")


def _values(column: pd.Series | pd.Index) -> bytes:
    """SHA-256 of the type and the values of a column or an index."""
    if isinstance(column, pd.MultiIndex):
        raise TypeError("no digest of an index of several levels")
    dtype, kind = column.dtype, f"{type(column).__name__} {column.dtype!r}"
    if isinstance(dtype, pd.CategoricalDtype):
        categories, codes = _values(dtype.categories), pd.Categorical(column).codes
        kind = f"{type(column).__name__} category"
        return _hash(kind, categories, digest(bool(dtype.ordered)), codes.tobytes())
    if isinstance(dtype, pd.StringDtype):
        codes, texts = pd.factorize(column)
        return _hash(f"{kind} {dtype.storage}", digest(texts.tolist()), codes.tobytes())
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        array = column.to_numpy()
        if dtype.kind == "f":  # one NaN of the many that there are, as in a file
            array = np.where(np.isnan(array), dtype.type(np.nan), array)
        return _hash(kind, array.tobytes())
    return _hash(kind, *map(digest, column.tolist()))


def _hash(kind: str, *parts: bytes) -> bytes:
    """SHA-256 of a kind and its parts, of which only the last is of any length."""
    return hashlib.sha256(b"".join([kind.encode(), b"\0", *parts])).digest()


def _read(place: Path, key: bytes) -> object:
    """The tables of a folder if they were sealed with the key, else None."""
    try:
        files = {path.name: path.read_bytes() for path in sorted(place.glob("*.parquet"))}
        seal = (place / _SEAL).read_bytes()
    except OSError:
        return None
    if seal != digest((key, files)):
        return None
    tables = tuple(pd.read_parquet(BytesIO(content)) for content in files.values())
    return tables[0] if "table.parquet" in files else tables


def _write(place: Path, key: bytes, result: object) -> None:
    """Replace the folder by the tables of a result, sealed with the key."""
    if isinstance(result, pd.DataFrame):
        tables = {"table.parquet": result}
    elif isinstance(result, tuple) and all(isinstance(table, pd.DataFrame) for table in result):
        tables = {f"{number:03}.parquet": table for number, table in enumerate(result, 1)}
    else:
        raise TypeError(f"a stage whose result is kept makes tables, not {type(result).__name__}")
    files = {name: table.to_parquet() for name, table in tables.items()}
    same = all(
        digest(pd.read_parquet(BytesIO(files[name]))) == digest(table)
        for name, table in tables.items()
    )
    if not same:
        return
    with replaced(place) as fresh:
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        (fresh / _SEAL).write_bytes(digest((key, files)))


# Read when the program starts, as near as can be to when Python reads it: who edits the code
# during a run must not have the old code's results under the new code's name.
_CODE = digest(
    [
        {str(path.relative_to(_ROOT)): path.read_bytes() for path in sorted(_ROOT.rglob("*.py"))},
        {name: version(name) for name in _PACKAGES},
        sys.version,
    ]
)

"""Results that are taken over: only of the very same input, and exactly as they were made."""

import hashlib
import json
import shutil
import struct
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.disclosure import Rules
from pipeline.kept import digest, kept
from pipeline.run import Run

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "tests" / "studies" / "small"
KEPT = ["protect", "secure", "feedback", "explain_suppression", "propose_groups"]
"""In the order of a run."""


def table(**columns):
    """A table with a column of every kind that a stage may have."""
    usual = {
        "text": pd.Series(["a", "ü", None, "a"], dtype="str"),
        "value": [1.5, -0.0, np.nan, 1e300],
        "count": [1, 2, 3, 2**62],
        "flag": [True, False, True, True],
        "small": np.array([1, 2, 3, 4], dtype="int8"),
        "maybe": pd.array([1, None, 3, 4], dtype="Int64"),
        "perhaps": pd.array([True, None, False, True], dtype="boolean"),
        "code": pd.Categorical(["x", "y", None, "x"], categories=["y", "x", "z"], ordered=True),
        "object": pd.Series(["a", None, "c", "a"], dtype=object),
        "day": pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-04"]),
    }
    return pd.DataFrame(usual | columns)


def changed(column, row, value):
    new = table()
    new.loc[row, column] = value
    return new


OTHERS = {
    "a text": changed("text", 0, "b"),
    "a text that was missing": changed("text", 2, ""),
    "a missing text": changed("text", 1, None),
    "the sign of a zero": changed("value", 1, 0.0),
    "the last bit": changed("value", 0, np.nextafter(1.5, 2)),
    "a value that was missing": changed("value", 2, 0.0),
    "a large number": changed("count", 3, 2**62 + 1),
    "a flag": changed("flag", 1, True),
    "a nullable number": changed("maybe", 1, 0),
    "a nullable flag": changed("perhaps", 1, False),
    "a category": changed("code", 0, "y"),
    "an object": changed("object", 1, "None"),
    "an object of another type": table(object=pd.Series(["a", None, 1, "a"], dtype=object)),
    "a day": changed("day", 0, pd.Timestamp("2020-01-03")),
    "order of categories": table(code=table()["code"].cat.reorder_categories(["x", "y", "z"])),
    "a category without rows": table(code=table()["code"].cat.remove_categories("z")),
    "categories without order": table(code=table()["code"].cat.as_unordered()),
    "floats for numbers": table(small=[1.0, 2.0, 3.0, 4.0]),
    "wider numbers": table(small=[1, 2, 3, 4]),
    "nullable numbers": table(count=pd.array([1, 2, 3, 2**62], dtype="Int64")),
    "numbers for flags": table(flag=[1, 0, 1, 1]),
    "objects for texts": table(text=table()["text"].astype(object)),
    "texts for objects": table(object=table()["object"].astype("str")),
    "texts for categories": table(code=pd.Series(["x", "y", None, "x"], dtype="str")),
    "a coarser clock": table(day=table()["day"].astype("datetime64[s]")),
    "another name": table().rename(columns={"text": "texts"}),
    "another order of columns": table()[table().columns[::-1]],
    "two names exchanged": table().rename(columns={"count": "flag", "flag": "count"}),
    "another order of rows": table().iloc[[1, 0, 2, 3]].reset_index(drop=True),
    "another index": table().set_axis([0, 1, 2, 4]),
    "an index that is listed": table().set_axis(pd.Index([0, 1, 2, 3])),
    "an index with a name": table().rename_axis(index="row"),
    "columns with a name": table().rename_axis(columns="column"),
    "one row less": table().iloc[:3],
    "no rows": table().iloc[:0],
    "one column more": table(more=0),
    "one column less": table().drop(columns="day"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_differs_in_a_table_gives_another_digest(what):
    assert digest(OTHERS[what]) != digest(table())


def test_the_same_table_has_the_same_digest():
    assert digest(table()) == digest(table().copy(deep=True))
    assert len({digest(other) for other in OTHERS.values()}) == len(OTHERS)


def test_missing_is_missing_whatever_its_bits():
    """0/0 has the sign bit set on many machines; a file knows only that nothing is there."""
    negative = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000000))[0]
    ours = pd.DataFrame({"a": np.array([negative, 1.0])})
    assert np.signbit(ours["a"].iloc[0])
    assert digest(ours) == digest(pd.DataFrame({"a": [np.nan, 1.0]}))


@dataclass(frozen=True)
class Limits:
    least: int
    share: float


@dataclass(frozen=True)
class Bounds:
    least: int
    share: float


class Pair(NamedTuple):
    one: int
    other: int


VALUES = [
    *(None, False, True, 0, 1, 0.0, -0.0, 1.0, float("inf"), float("nan"), "", "0", "None", b""),
    *((), [], {}, (1,), [1], (1, 2), (12,), (2, 1), ("1", "2"), ("12",), ((1,), 2), (1, (2,))),
    *({"a": 1}, {"a": 1.0}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, ("a", 1), {1: "a"}),
    *(Limits(1, 0.5), Limits(1, 0.25), Bounds(1, 0.5), {"least": 1, "share": 0.5}),
    *(pd.DataFrame(), pd.DataFrame({"a": [1]}), [pd.DataFrame({"a": [1]})]),
    *(Rules(5, 10.0, 1, 70.0), Rules(5, 10.0, 1, 70.0, secret_weights=True)),
]


def test_all_plain_values_and_types_are_told_apart():
    assert len({digest(value) for value in VALUES}) == len(VALUES)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(one=plain, other=plain)
def test_two_values_have_one_digest_only_if_they_are_written_alike(one, other):
    assert (digest(one) == digest(other)) == (repr(one) == repr(other))


columns_of = st.lists(
    st.lists(st.integers(-2, 2), min_size=3, max_size=3)
    | st.lists(st.floats(allow_nan=False), min_size=3, max_size=3)
    | st.lists(st.sampled_from(["", "a", "ab", "b"]), min_size=3, max_size=3),
    min_size=1,
    max_size=3,
)


@given(one=columns_of, other=columns_of)
def test_two_tables_have_one_digest_only_if_they_hold_the_same(one, other):
    tables = [pd.DataFrame(dict(zip("abc", columns, strict=False))) for columns in (one, other)]
    assert (digest(tables[0]) == digest(tables[1])) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    "value",
    [
        *({1, 2}, frozenset("a"), Path("a"), np.float64(1), np.int64(1), np.arange(2), len, Limits),
        *(Pair(1, 2), OrderedDict(a=1), pd.Series([1]), 1j, range(2), object(), ({"a": [set()]},)),
        pd.DataFrame({"a": [object()]}),
        pd.DataFrame({"a": [(np.int64(1),)]}),
        pd.DataFrame({"a": pd.to_datetime(["2020-01-01"]).tz_localize("UTC")}),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])),
        pd.DataFrame({("a", "b"): [1]}),
    ],
    ids=repr,
)
def test_what_is_not_known_is_refused_and_not_guessed(value):
    with pytest.raises(TypeError, match="no digest of"):
        digest(value)


def test_the_digest_does_not_hang_on_the_hash_seed():
    """The whole key, with that of the code, in processes of their own."""
    program = (
        "import pandas as pd; from pipeline import kept; from pipeline.disclosure import Rules\n"
        "table = pd.DataFrame({'a': ['x', 'y', None, 'x'], 'b': [1.5, None, 2, 0]})\n"
        "value = kept._CODE, (table, table.astype('category'), table.astype(object)),"
        " {'known': {'x': 1.0, 'y': 2.0}, 'rules': Rules(5, 10.0, 1, 70.0)}\n"
        "print(kept.digest(value).hex())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


class Stage:
    """A stage that counts its calls."""

    def __init__(self, result):
        self.__module__, self.__qualname__, self.__name__ = "stages", "double", "double"
        self.calls, self.result = 0, result

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.result


def same(one, other):
    pd.testing.assert_frame_equal(
        one, other, check_exact=True, check_index_type="exact", check_column_type="exact"
    )


def result(**columns):
    """The table without the column that a file does not give back as it was."""
    return table(**columns).drop(columns="object")


RESULTS = {
    "a table": result(),
    "no rows": result().iloc[:0].drop(columns="code"),  # whose categories a file does not have
    "rows of another": result().iloc[[3, 1]],
    "an index with a name": result().set_index("count"),
    "two tables": (result(), result(value=0.0)),
    "a tuple of one": (result(),),
    "eleven tables": tuple(result(value=float(number)) for number in range(11)),
}


@pytest.mark.parametrize("what", RESULTS)
def test_a_result_is_read_as_it_was_made_and_the_stage_not_called_again(tmp_path, what):
    stage = Stage(RESULTS[what])
    call = (tmp_path / "double", stage, (table(), 1), {"limit": 2})
    made, before = kept(*call)
    assert (made is stage.result, before, stage.calls) == (True, False, 1)
    read, again = kept(*call)
    assert (type(read) is type(made), again, stage.calls) == (True, True, 1)
    pairs = zip(read, made, strict=True) if isinstance(made, tuple) else [(read, made)]
    for one, other in pairs:
        same(one, other)


def test_other_input_is_worked_out_and_replaces_what_was_kept(tmp_path):
    stage, place = Stage(result()), tmp_path / "double"
    for calls, (args, named) in enumerate(
        [
            ((table(), 1), {}),
            ((table(), 2), {}),
            ((table(),), {"limit": 2}),
            ((table(),), {"most": 2}),
            ((OTHERS["the last bit"],), {"most": 2}),
            ((table(), 1), {}),  # was kept, but three results ago
        ],
        start=1,
    ):
        assert kept(place, stage, args, named)[1] is False
        assert stage.calls == calls
        assert sorted(path.name for path in place.iterdir()) == ["seal", "table.parquet"]
    assert [path.name for path in tmp_path.iterdir()] == ["double"]


@pytest.mark.parametrize("attribute", ["__module__", "__qualname__"])
def test_another_stage_does_not_get_it(tmp_path, attribute):
    stage, other = Stage(result()), Stage(result(value=1.0))
    setattr(other, attribute, "treble")
    kept(tmp_path / "double", stage, (1,), {})
    assert kept(tmp_path / "double", other, (1,), {})[1] is False
    assert other.calls == 1


def test_other_code_does_not_get_it(tmp_path, monkeypatch):
    stage = Stage(result())
    kept(tmp_path / "double", stage, (1,), {})
    monkeypatch.setattr("pipeline.kept._CODE", digest("other code"))
    assert kept(tmp_path / "double", stage, (1,), {})[1] is False


def test_every_line_of_code_and_the_packages_count(tmp_path):
    """A copy of the pipeline with one more line in one module, and with another numpy."""
    code = "from pipeline import kept; print(kept._CODE.hex(), kept.__file__)"
    other = (
        f"import importlib.metadata as m; v = m.version; m.version = lambda n: v(n) + '.'; {code}"
    )
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")

    def name(program):
        command = [sys.executable, "-c", program]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        digits, file = found.stdout.split()
        assert Path(file).is_relative_to(tmp_path)
        return digits

    first = name(code)
    assert name(code) == first != name(other)
    module = tmp_path / "pipeline/analyse/domains.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# a line\n", encoding="utf-8")
    second = name(code)
    module.rename(module.with_name("renamed.py"))
    assert len({first, second, name(code)}) == 3


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


DAMAGE = {
    "a bit of a table": lambda place: flip(place / "002.parquet"),
    "a bit of the seal": lambda place: flip(place / "seal"),
    "an empty table": lambda place: (place / "001.parquet").write_bytes(b""),
    "a table cut off": lambda place: (place / "001.parquet").write_bytes(
        (place / "001.parquet").read_bytes()[:-9]
    ),
    "a table that is gone": lambda place: (place / "002.parquet").unlink(),
    "a table too many": lambda place: shutil.copy(place / "001.parquet", place / "003.parquet"),
    "tables exchanged": lambda place: shutil.copy(place / "001.parquet", place / "002.parquet"),
    "another name": lambda place: (place / "001.parquet").rename(place / "table.parquet"),
    "no seal": lambda place: (place / "seal").unlink(),
    "a folder for the seal": lambda place: ((place / "seal").unlink(), (place / "seal").mkdir()),
    "a folder for a table": lambda place: (place / "000.parquet").mkdir(),
    "an empty folder": lambda place: (shutil.rmtree(place), place.mkdir()),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_is_made_again(tmp_path, what):
    place, stage = tmp_path / "kept" / "double", Stage((result(), result(value=2.0)))
    kept(place, stage, (1,), {})
    DAMAGE[what](place)
    assert kept(place, stage, (1,), {})[1] is False
    read, before = kept(place, stage, (1,), {})
    assert (before, stage.calls) == (True, 2)
    same(read[1], result(value=2.0))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_nothing_half_written(tmp_path, monkeypatch, error):
    place, stage = tmp_path / "double", Stage(result())
    kept(place, stage, (1,), {})
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    write = Path.write_bytes

    def interrupted(path, content):
        write(path, content[:10])
        raise error

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(error):
        kept(place, stage, (2,), {})
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["double"]


def test_a_stage_that_fails_leaves_what_was_kept(tmp_path):
    place = tmp_path / "double"
    kept(place, Stage(result()), (1,), {})

    class Failing(Stage):
        def __call__(self, *args):
            raise ValueError("no clean end")

    with pytest.raises(ValueError, match="no clean end"):
        kept(place, Failing(None), (2,), {})
    assert kept(place, Stage(None), (1,), {})[1] is True


def test_what_would_not_be_read_as_it_was_made_is_not_kept(tmp_path):
    """A file gives back texts for objects."""
    stage = Stage((result(), table()))
    for calls in (1, 2):
        made, before = kept(tmp_path / "double", stage, (1,), {})
        assert (made is stage.result, before, stage.calls) == (True, False, calls)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [None, 1, [], {}, (pd.DataFrame(), 1)], ids=repr)
def test_only_tables_are_kept(tmp_path, other):
    with pytest.raises(TypeError, match="makes tables"):
        kept(tmp_path / "double", Stage(other), (1,), {})


def hashes(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_in_which_nothing_changed_makes_the_same_without_disclosure_control(
    tmp_path, call_command
):
    """With a damaged file, then as a release, which is a run too."""
    study = shutil.copytree(SMALL, tmp_path / "small")
    folder = study / "data/processed/kept/2023"

    def run(command):
        code, output, error = call_command("--study", study, command, "2023", "--json")
        assert code == 0, error
        return json.loads(output)

    def unchanged():
        return [stage["stage"] for stage in run("wave")["stages"] if stage["unchanged"]]

    def made():
        return hashes(study / "reports"), hashes(study / "data/processed/2023")

    assert unchanged() == []
    first, files = made(), hashes(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(KEPT)
    flip(folder / "secure" / "001.parquet")
    assert unchanged() == [stage for stage in KEPT if stage != "secure"]
    assert made() == first
    assert hashes(folder) == files
    written = [(folder / stage / "seal").stat().st_mtime_ns for stage in KEPT]
    run("release")
    assert made() == first
    assert [(folder / stage / "seal").stat().st_mtime_ns for stage in KEPT] == written


def test_a_run_says_which_results_it_took_over(tmp_path):
    stage = Stage(result())
    for run in (
        first := Run(folder=tmp_path, wave="w1"),
        second := Run(folder=tmp_path, wave="w1"),
    ):
        same(run.kept(stage, table(), limit=1), result())
    assert [(s.stage, s.rows_in, s.rows_out) for s in first.steps + second.steps] == [
        ("double", 4, 4),
        ("double", 4, 4),
    ]
    assert [s.unchanged for s in first.steps + second.steps] == [False, True]
    assert stage.calls == 1
    other = Run(folder=tmp_path, wave="w2")  # a folder by wave
    other.kept(stage, table(), limit=1)
    assert (stage.calls, other.steps[0].unchanged) == (2, False)


def test_a_run_without_a_folder_calls_every_stage():
    stage, run = Stage(result()), Run()
    for _ in range(2):
        run.kept(stage, {1, 2})  # no digest is asked for
    assert stage.calls == 2
    assert [step.unchanged for step in run.steps] == [False, False]

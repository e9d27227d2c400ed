"""The rules that keep the house in order, enforced on the syntax trees of `pipeline/`."""

from __future__ import annotations

import ast
import csv
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = ROOT / "pipeline"
MODULES = sorted(PIPELINE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

PHASES = {"design", "collect", "process", "analyse", "disseminate", "evaluate"}
LIBRARIES = {"survey", "disclosure", "formats"}
BASE = {"tables", "study", "errors", "expressions"}
MAY_IMPORT = {
    "errors": set(),
    "expressions": {"errors"},
    "tables": {"errors"},
    "study": {"tables", "errors", "expressions"},
    "run": {"kept"},
    "kept": {"store"},
    "store": {"tables", "errors"},
    "draft": {"tables", "errors"},
    "releases": {"draft", "tables", "errors"},
    "engines": {"errors", "survey"},
    **{library: {"errors"} for library in LIBRARIES},
    **dict.fromkeys(PHASES, BASE | LIBRARIES),
    "wave": PHASES | BASE | LIBRARIES | {"run", "store", "draft", "releases", "engines"},
    "cli": PHASES | BASE | LIBRARIES | {"run", "store", "draft", "releases", "engines", "wave"},
}
"""Which folders or modules each may import besides itself; arrows point one way."""
TOUCH_THE_DISK = {"collect", "disseminate", "evaluate", "formats", "study", "store"}
TOUCH_THE_DISK |= {"engines", "kept", "wave", "cli"}
TOUCH_THE_DISK.add("releases")  # the ledger: it is tracked and must outlive the store
DISK = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "rmtree"}
DISK |= {"read_csv", "read_excel", "read_parquet", "to_csv", "to_excel", "to_parquet", "connect"}
NO_TABLE = {"store_wave", "render_reports", "render_disclosure"}
"""Stages that make no table."""
MAX_MODULE, MAX_FUNCTION, MAX_POSITIONAL = 250, 45, 5


def room(path: Path) -> str:
    """Folder or module of `pipeline/` to which a file belongs."""
    return path.relative_to(PIPELINE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every import of the pipeline: the room, and the name taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            parts = (node.module or "").split(".")
            for alias in node.names:
                yield (parts[1] if len(parts) > 1 else alias.name), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "pipeline" and len(parts) > 1:
                    yield parts[1], alias.name


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes that others may use, methods included."""
    for node in tree.body:
        is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_definition and not node.name.startswith("_") and node.name != "Config":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def docstring_lines(tree: ast.AST) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for statement in body:  # also the texts below constants
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                lines |= set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return lines


def code_lines(path: Path, first: int = 1, last: int | None = None) -> int:
    """Lines with code: no docstrings, no comments, no blank lines."""
    text = path.read_text(encoding="utf-8").splitlines()
    documented = docstring_lines(TREES[path])
    return sum(
        1
        for number, line in enumerate(text, 1)
        if first <= number <= (last or len(text))
        and number not in documented
        and line.strip()
        and not line.strip().startswith("#")
    )


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PIPELINE)))
def test_arrows_point_one_way(path: Path) -> None:
    """Only `wave.py` (and the command) may import all phases; a phase never imports another."""
    own = room(path)
    if own == "__init__":
        assert not list(imports(TREES[path]))
        return
    wrong = {to for to, _ in imports(TREES[path]) if to not in MAY_IMPORT[own] | {own}}
    assert not wrong, f"{path.relative_to(ROOT)} may not import {sorted(wrong)}"


def test_disseminate_takes_only_released_numbers() -> None:
    """Disclosure control is a type: renderers cannot even name Answers or Estimates."""
    allowed = {"Release", "Captions", "tables"}
    found = {
        name
        for path in MODULES
        if room(path) == "disseminate"
        for to, name in imports(TREES[path])
        if to == "tables" and name[0].isupper() and not name.isupper()
    }
    assert found <= allowed | {"Statistic", "Symbol"}, found - allowed
    assert "Release" in found
    rooms = {to for p in MODULES if room(p) == "disseminate" for to, _ in imports(TREES[p])}
    assert not rooms & {"survey", "disclosure", "store"}


def test_evaluate_takes_verdicts_and_no_figures() -> None:
    """The analyst's pages name firms and rules; they cannot even name what a firm answered."""
    allowed = {"Captions", "Clearance", "Proposals", "Suppressions"}
    found = {
        name
        for path in MODULES
        if room(path) == "evaluate"
        for to, name in imports(TREES[path])
        if to == "tables" and name[0].isupper() and not name.isupper()
    }
    assert found <= allowed | {"ClearanceRule", "Protected"}, found - allowed
    assert "Suppressions" in found
    rooms = {to for p in MODULES if room(p) == "evaluate" for to, _ in imports(TREES[p])}
    assert not rooms & {"survey", "disclosure", "formats"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PIPELINE)))
def test_only_readers_and_writers_touch_the_disk(path: Path) -> None:
    if room(path) in TOUCH_THE_DISK:
        return
    calls = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)]
    names = {getattr(c.func, "id", getattr(c.func, "attr", "")) for c in calls}
    assert not names & DISK, f"{path.relative_to(ROOT)} calls {sorted(names & DISK)}"
    modules = {
        alias.name.split(".")[0]
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    modules |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.ImportFrom)
    }
    assert not modules & {"os", "io", "shutil", "tempfile", "urllib", "socket", "subprocess"}


def test_stages_are_functions_from_tables_to_tables() -> None:
    """Every stage is checked by pandera, knows no other stage, and returns a table (or paths)."""
    from pipeline.cli.flow import stages

    names = [stage.name for stage in stages()]
    assert len(names) == len(set(names)) >= 11
    for stage in stages():
        assert stage.what.endswith("."), stage
        assert stage.takes or stage.name.startswith("read_"), stage
        assert stage.makes or stage.name in NO_TABLE, stage
    stage_functions = set(names)
    for path in MODULES:
        if room(path) in PHASES and path.name != "__init__.py":
            taken = {name for to, name in imports(TREES[path]) if to == room(path)}
            known = taken & stage_functions
            assert not known, f"{path.relative_to(ROOT)} knows the stage {known}"


def test_what_a_stage_returns_is_validated() -> None:
    from pipeline import wave
    from pipeline.cli.flow import stages

    for stage in stages():
        if not stage.makes:
            continue
        function = getattr(wave, stage.name)
        source = inspect.getsource(inspect.getmodule(function))  # type: ignore[arg-type]
        tree = ast.parse(source)
        found = next(f for f in functions(tree) if f.name == stage.name)
        decorated = "pa.check_types" in {ast.unparse(d) for d in found.decorator_list}
        delegates = "raw_answers(" in ast.unparse(found)  # which is decorated itself
        validates = ".validate(" in ast.unparse(found)
        assert decorated or delegates or validates, stage.name


def test_no_config_object_travels() -> None:
    """Only the study itself, `wave.py` and the command handle a Study."""
    allowed = {"study", "wave", "cli"}
    for path in MODULES:
        if room(path) in allowed:
            continue
        for function in functions(TREES[path]):
            arguments = [*function.args.args, *function.args.kwonlyargs]
            hints = {ast.unparse(a.annotation) for a in arguments if a.annotation}
            bad = hints & {"Study", "StudyFile", "Publication"}
            assert not bad, f"{place(path, function)} {function.name} takes {bad}"


def test_at_most_five_positional_parameters() -> None:
    for path in MODULES:
        for function in functions(TREES[path]):
            if any("app.command" in ast.unparse(d) for d in function.decorator_list):
                continue
            names = [a.arg for a in function.args.posonlyargs + function.args.args]
            count = len([n for n in names if n not in {"self", "cls"}])
            assert count <= MAX_POSITIONAL, f"{place(path, function)} {function.name}: {count}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PIPELINE)))
def test_small_rooms(path: Path) -> None:
    assert code_lines(path) <= MAX_MODULE, f"{path.relative_to(ROOT)}: {code_lines(path)} lines"
    for function in functions(TREES[path]):
        length = code_lines(path, function.lineno, function.end_lineno)
        assert length <= MAX_FUNCTION, f"{place(path, function)} {function.name}: {length} lines"


def test_the_wave_is_readable_on_one_screen() -> None:
    path = PIPELINE / "wave.py"
    for function in functions(TREES[path]):
        assert code_lines(path, function.lineno, function.end_lineno) <= MAX_FUNCTION


def vocabulary() -> dict[str, str]:
    """Item ids, indicator ids, code lists and waves of every study in the repository."""
    words: dict[str, str] = {}
    for toml in ROOT.glob("**/schemas/study.toml"):
        if ".venv" in toml.parts:
            continue
        schemas = toml.parent
        study = tomllib.loads(toml.read_text(encoding="utf-8"))
        words |= dict.fromkeys(study.get("register", {}), f"register column of {study['id']}")
        for file, column in (
            ("questionnaire/items.csv", "item"),
            ("questionnaire/codes.csv", "code_list"),
            ("indicators.csv", "indicator"),
            ("edits.csv", "rule"),
        ):
            with (schemas / file).open(encoding="utf-8-sig", newline="") as rows:
                words |= {row[column]: f"{column} of {study['id']}" for row in csv.DictReader(rows)}
        for wave in (schemas.parent / "data" / "raw").glob("*/wave.toml"):
            words[wave.parent.name] = f"wave of {study['id']}"
    return {word: place for word, place in words.items() if word not in own_words()}


def own_words() -> set[str]:
    """Words of the pipeline itself that a study may use too: column names, kinds, statistics."""
    from pipeline import tables
    from pipeline.tables import flow, metadata

    words = {"size", "field"}  # of pandas (`groupby.size`), and a kind of `Captions`
    for name in tables.__all__:
        words |= set(getattr(tables, name).to_schema().columns)
    for module in (flow, metadata):
        for value in vars(module).values():
            words |= {w for w in get_args(value) if isinstance(w, str)}
    return words


def test_no_survey_content_in_the_code() -> None:
    """A study is data in schemas/: no id, code list or wave of one is a constant of the code."""
    words = vocabulary()
    assert len(words) > 20
    for path in MODULES:
        documented = docstring_lines(TREES[path])
        for node in ast.walk(TREES[path]):
            if not isinstance(node, ast.Constant) or node.lineno in documented:
                continue
            found = str(node.value)
            assert found not in words, f"{place(path, node)}: {found!r} is a {words[found]}"
            is_year = isinstance(node.value, int) and 1900 < node.value < 2100
            assert not is_year, f"{place(path, node)}: {found} looks like a wave"


def test_everything_public_says_what_it_does() -> None:
    for path in MODULES:
        assert ast.get_docstring(TREES[path]), f"{path.relative_to(ROOT)} has no docstring"
        for node in public(TREES[path]):
            assert ast.get_docstring(node), f"{place(path, node)} {node.name}"


def test_a_failure_is_never_swallowed() -> None:
    """What catches everything raises again under a name; no handler only passes."""
    for path in MODULES:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in {"everything", "Exception", "BaseException"}:
                    assert isinstance(node.body[-1], ast.Raise), place(path, node)
                assert not all(isinstance(s, ast.Pass) for s in node.body), place(path, node)

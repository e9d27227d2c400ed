"""The tutorial prints what its page says, and the page of methods is that of the code.

    .venv/bin/python tests/test_tutorial.py

writes what the tutorial's code prints into its page.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import reduce
from pathlib import Path

import pytest

from pipeline import survey

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import methods  # noqa: E402  (a script beside its page)

TUTORIAL = ROOT / "docs/tutorial.md"
METHODS = ROOT / "docs/methods.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
HERE = re.compile(r"^\| `[^|]*\| ([^|]*) \|", re.M)


def printed(page: str) -> Iterator[str]:
    """What each block of code prints, run in order in one namespace."""
    names: dict[str, object] = {"__name__": "tutorial"}
    for number, block in enumerate(BLOCK.finditer(page), 1):
        with redirect_stdout(io.StringIO()) as stream:
            exec(compile(block[1], f"block {number} of the tutorial", "exec"), names)
        yield "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def filled(page: str) -> str:
    """The page with what its code prints."""
    outputs = printed(page)

    def block(found: re.Match[str]) -> str:
        output = next(outputs)
        return f"```python\n{found[1]}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return BLOCK.sub(block, page)


def test_every_block_of_the_tutorial_is_run() -> None:
    page = TUTORIAL.read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) == page.count("```python") >= 20
    assert sum(text != "" for _, text in blocks) == page.count("```text") >= 18
    assert 2 * page.count("```python") + 2 * page.count("```text") == page.count("```")


def test_the_tutorial_prints_what_its_page_says() -> None:
    page = TUTORIAL.read_text(encoding="utf-8")
    for (code, expected), output in zip(BLOCK.findall(page), printed(page), strict=True):
        assert output == expected, f"run: python tests/test_tutorial.py\n{code}"


def test_what_the_tutorial_names_beside_r_exists() -> None:
    table = TUTORIAL.read_text(encoding="utf-8").split("| R survey | here | note |")[1]
    cells = HERE.findall(table)
    assert len(cells) >= 20
    for cell in cells:
        for call in re.findall(r"`([^`]+)`", cell):
            name = re.match(r"\w+(?:[.]\w+)*", call)
            assert name is not None, cell
            assert name[0].split(".")[0] in survey.__all__, cell
            assert reduce(getattr, name[0].split("."), survey), cell


def test_the_page_of_methods_is_made_from_the_code() -> None:
    assert METHODS.read_text(encoding="utf-8") == methods.page(), "run: python docs/methods.py"


@pytest.mark.parametrize("name", sorted(methods.library()))
def test_every_verb_names_its_source_or_needs_none(name: str) -> None:
    verb = methods.library()[name]
    sources, _ = methods.sources_of(verb)
    needs_none = verb.__name__ in methods.NO_SOURCE
    assert bool(sources) != needs_none, (
        f"{verb.__module__}.{name}: cite author and year in the docstring, refer to a verb that "
        "does (see `verb`), or say in NO_SOURCE of docs/methods.py why there is nothing to cite"
    )


def test_every_public_verb_is_on_the_page() -> None:
    verbs = {name for name in survey.__all__ if inspect.isfunction(getattr(survey, name))}
    assert len(verbs) >= 40
    assert verbs <= methods.library().keys()
    page = METHODS.read_text(encoding="utf-8")
    for name in methods.library():
        assert page.count(f"\n### `{name}`\n") == 1, name


def test_sources_are_sorted_and_stand_once() -> None:
    lines = METHODS.read_text(encoding="utf-8").split("## Sources\n\n")[1].splitlines()
    names = [line[2:].split(":")[0] for line in lines]
    assert names == sorted(set(names), key=methods.folded)
    assert {"Deville and Särndal 1992", "Tam 1984", "Kish 1965"} <= set(names)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("weights (Deville and Särndal 1992, result 5)", ["Deville and Särndal 1992"]),
        ("Särndal,\nSwensson and Wretman (1992)", ["Särndal, Swensson and Wretman 1992"]),
        ("n (Parker et al. 2017; Kish 1965; Kish 1965)", ["Parker et al. 2017", "Kish 1965"]),
        ("PSD 2024, R survey 4.1, in 2024, of 1990", []),
    ],
)
def test_sources_are_found(text: str, found: list[str]) -> None:
    assert methods.cited(text) == found


def test_both_pages_say_what_every_report_says_of_intervals() -> None:
    texts = tomllib.loads((ROOT / "pipeline/disseminate/texts/en.toml").read_text("utf-8"))
    for page in (TUTORIAL, METHODS):
        head = " ".join(page.read_text(encoding="utf-8").split("\n## ")[0].split())
        assert texts["response"]["interval"] in head, page.name


def test_what_is_left_out_is_what_the_comparison_with_r_leaves_out() -> None:
    tree = ast.parse((ROOT / "tests/survey/test_survey_oracle.py").read_text(encoding="utf-8"))
    (values,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LEFT_OUT"
    )
    assert isinstance(values, ast.Dict)
    results = [ast.literal_eval(key) for key in values.keys if key is not None]
    prefixes = [prefix for prefix, _ in methods.LEFT_OUT.values() if prefix]
    assert [r for r in results if not r.startswith(tuple(prefixes))] == []
    assert [p for p in prefixes if not any(r.startswith(p) for r in results)] == []


if __name__ == "__main__":
    TUTORIAL.write_text(filled(TUTORIAL.read_text(encoding="utf-8")), encoding="utf-8")

"""What the documents say is true: commands run, recipes work when followed, tables agree."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli.flow import markdown, stages

Call = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = "examples/jtrain/"
STEP = re.compile(
    r"^(Create|Append to|Change) `([^`]+)`[^\n]*(?:\n[^\n`]+)*:\n((?:\n```.*?\n```\n)+)",
    re.M | re.S,
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def commands(document: str) -> list[str]:
    """Every line of the shell blocks, without its comment."""
    blocks = [body for language, body in BLOCK.findall(document) if language == "sh"]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def steps(document: str) -> list[tuple[str, str, list[str]]]:
    """What to create, append to or change: the verb, the file, the blocks."""
    return [
        (verb, file, [body for _, body in BLOCK.findall(blocks)])
        for verb, file, blocks in STEP.findall(document)
    ]


def follow(document: str, targets: dict[str, Path]) -> list[str]:
    """Do what the document says to files below the prefixes of `targets`; returns the files."""
    done = []
    for verb, file, blocks in steps(document):
        prefix = next((p for p in targets if file.startswith(p)), None)
        if prefix is None:
            continue
        path = targets[prefix] / file.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        if verb == "Create":
            assert not path.exists(), f"{file} exists already"
            path.write_text(blocks[0], encoding="utf-8")
        elif verb == "Append to":
            path.write_text(path.read_text(encoding="utf-8") + blocks[0], encoding="utf-8")
        else:
            for block in blocks:
                change(path, block)
        done.append(file)
    return done


def change(path: Path, diff: str) -> None:
    """Apply one block of lines with leading ' ', '-' and '+'."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} does not have once:\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_step_of_the_document_is_understood() -> None:
    headings = len(re.findall(r"^(Create|Append to|Change) `", CONTRIBUTING, re.M))
    assert len(steps(CONTRIBUTING)) == headings >= 9


def test_the_readme_s_stages_are_those_of_the_code() -> None:
    table = README.split("by a test -->\n")[1].split("\n<!-- end of stages")[0]
    assert table == markdown(stages()), "run: mittelwelle flow --markdown"


def test_the_picture_of_the_flow_is_that_of_the_code() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    from pictures import flow_svg  # type: ignore[import-not-found]

    assert (ROOT / "docs/flow.svg").read_text(encoding="utf-8") == flow_svg()
    assert (ROOT / "docs/report.png").stat().st_size > 20_000


@pytest.mark.parametrize("line", [c for c in commands(README) if c.startswith("make ")])
def test_make_commands_of_the_readme_are_targets(line: str) -> None:
    result = subprocess.run(
        [*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("line", [c for c in commands(README) if "mittelwelle" in c])
def test_commands_of_the_readme_run(line: str, fresh_example: Path, call_command: Call) -> None:
    arguments = shlex.split(line)[1:]
    arguments = [str(fresh_example) if a == EXAMPLE.rstrip("/") else a for a in arguments]
    code, output, error = call_command(*arguments)
    assert code == 0, error
    assert output


def test_files_that_the_documents_name_exist() -> None:
    for document in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#:]+)\)", document):
            assert (ROOT / target).exists(), target


def test_a_wave_a_question_and_an_indicator_as_described(
    fresh_example: Path, call_command: Call
) -> None:
    done = follow(CONTRIBUTING, {EXAMPLE: fresh_example})
    assert len(done) == 6
    wave = next(c for c in commands(CONTRIBUTING) if "wave 1990" in c)
    arguments = [str(fresh_example) if a == "examples/jtrain" else a for a in shlex.split(wave)[1:]]
    code, _, error = call_command(*arguments)
    assert code == 0, error
    numbers = pd.read_csv(fresh_example / "reports/1990/release.csv", dtype=str)
    numbers = numbers.set_index("number_id")["value"]
    # 8 of 9 firms answered, all with the same weight:
    # (1 + 2 + 0 + 3 + 4 + 4 + 5 + 2) / (20 + 35 + 25 + 40 + 45 + 50 + 60 + 30) = 21 / 305 = 6.885 %
    assert numbers["1990/apprentice_share/all/estimate"] == "6.9"
    assert numbers["1990/response/all/n"] == "8"
    assert numbers["1990/response/all/population"] == "9"
    assert numbers["1989/scrap_rate/all/estimate"] == "3.13"
    page = (fresh_example / "reports/1990/report.de.html").read_text(encoding="utf-8")
    assert "Ausbildungsquote" in page
    assert "Wie viele Auszubildende hat der Betrieb?" in page
    findings = pd.read_csv(fresh_example / "data/processed/1990/findings.csv")
    assert 1990 not in set(findings["wave"])  # every column is known, no rule is broken


def run_changed(pipeline: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a changed copy of the package."""
    environment = os.environ | {"PYTHONPATH": str(pipeline.parent)}
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment, cwd=pipeline.parent, capture_output=True, text=True, check=False
    )


def test_a_reader_and_a_chart_as_described(tmp_path: Path, example: Path) -> None:
    pipeline = shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")
    done = follow(CONTRIBUTING, {"pipeline/": pipeline})
    assert "pipeline/formats/jsonl.py" in done
    (tmp_path / "answers.jsonl").write_text('{"firm": "F1", "a": 5}\n{"firm": "F2", "a": null}\n')
    (tmp_path / "broken.jsonl").write_text('{"firm": "F1"}\nno object\n')
    read = (
        "from pathlib import Path\n"
        "from pipeline.errors import ExportError\n"
        "from pipeline.formats import read_sheet\n"
        "sheet = read_sheet(Path('answers.jsonl'))\n"
        "assert sheet.columns == ('firm', 'a'), sheet\n"
        "assert sheet.records == (('F1', '5'), ('F2', '')), sheet\n"
        "try: read_sheet(Path('broken.jsonl'))\n"
        "except ExportError as error: assert error.problems[0].row == '2'\n"
        "else: raise AssertionError\n"
    )
    result = run_changed(pipeline, read)
    assert result.returncode == 0, result.stderr
    study = shutil.copytree(example, tmp_path / "jtrain")
    shutil.rmtree(study / "reports")
    script = (
        "import sys; sys.argv = ['mittelwelle', '--study', 'jtrain', 'wave', '--quiet']\n"
        "from pipeline.cli import main; main()"
    )
    result = run_changed(pipeline, script)
    assert result.returncode == 0, result.stderr
    page = (study / "reports/1989/report.en.html").read_text(encoding="utf-8")
    before = (example / "reports/1989/report.en.html").read_text(encoding="utf-8")
    assert page.count('role="img"') > before.count('role="img"')

"""The command as people and machines use it: help, JSON, quiet, exit codes, no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.cli.doctor import examine
from pipeline.cli.flow import stages
from pipeline.cli.show import Console
from pipeline.disseminate import fonts
from pipeline.errors import DisclosureError, ExportError, MittelwelleError, Problem

Call = Callable[..., tuple[int, str, str]]
COMMANDS = ["wave", "release", "flow", "doctor"]


@pytest.mark.parametrize("command", [[], *([c] for c in COMMANDS)], ids=" ".join)
def test_help_everywhere_with_examples(command: list[str], call_command: Call) -> None:
    code, output, _ = call_command(*command, "--help")
    assert code == 0
    assert "Examples" in output
    assert f"mittelwelle {' '.join(command)}".strip() in output


def test_help_names_the_exit_codes_and_the_commands(call_command: Call) -> None:
    _, output, _ = call_command("--help")
    for word in ("Exit codes", "--study", "--install-completion", *COMMANDS):
        assert word in output


def test_help_imports_nothing_heavy() -> None:
    """Help answers at once because no package of the statistics or the reports is imported."""
    script = (
        "import sys; sys.argv = ['mittelwelle', '--help']\n"
        "from pipeline.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'duckdb', 'pandera', 'scipy', 'typst', 'pydantic'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_version(call_command: Call) -> None:
    code, output, _ = call_command("--version")
    assert code == 0
    assert output.startswith("mittelwelle 0.")


def test_wave_as_json(fresh_example: Path, call_command: Call) -> None:
    code, output, error = call_command("wave", "1987", "--json", "--study", fresh_example)
    assert (code, error) == (0, "")
    answer = json.loads(output)
    assert answer["wave"] == "1987"
    assert [stage["stage"] for stage in answer["stages"]] == [stage.name for stage in stages()]
    assert all(Path(path).is_file() for path in answer["reports"])
    counts = {k: v for k, v in answer["records"][0].items() if k != "fingerprint"}
    assert counts == {
        "wave": "1987",
        "records_in": 157,
        "records_taken": 157,
        "records_rejected": 0,
        "values_quarantined": 0,
    }
    assert len(answer["records"]) == 1


def test_wave_ends_with_the_stages_and_the_reports(fresh_example: Path, call_command: Call) -> None:
    _, output, _ = call_command("--study", fresh_example, "wave", "1987")
    for stage in stages():
        assert stage.name in output
    for word in ("Rows in", "Rows out", "Seconds", "report.de.html", "report.en.pdf"):
        assert word in output
    assert "157 rows in = 157 taken + 0 rejected" in output
    assert "(unchanged)" not in output


def test_a_wave_again_says_what_it_took_over(fresh_example: Path, call_command: Call) -> None:
    _, output, _ = call_command("--study", fresh_example, "wave")
    for stage in ("protect", "secure", "feedback", "explain_suppression", "propose_groups"):
        assert f"{stage} (unchanged)" in output
    assert output.count("(unchanged)") == 5
    assert "programmes, in an earlier run\n" in output


def test_errors_as_json(tmp_path: Path, call_command: Call) -> None:
    code, output, _ = call_command("--study", tmp_path, "wave", "--json")
    assert code == 2
    answer = json.loads(output)
    assert answer["error"] == "The study cannot be read"
    assert answer["problems"][0]["found"] == "no such file"
    assert "--study" in answer["problems"][0]["advice"]


def test_an_empty_wave_is_not_the_newest(example: Path, call_command: Call) -> None:
    """A release cannot be taken back: `release "$WAVE"` with nothing in it releases nothing."""
    code, _, error = call_command("--study", example, "release", "")
    assert code == 2
    assert "1987, 1988, 1989" in error
    assert not (example / "releases").exists()


def test_a_case_that_is_not_there(tmp_path: Path, call_command: Call) -> None:
    for path in (tmp_path / "case.json", tmp_path):
        code, _, error = call_command("audit", path)
        assert code == 2
        assert str(path) in error.replace("\n", "")
        assert "correct the path" in error


def test_no_study_here_names_one_that_is_near(
    root: Path, tmp_path: Path, call_command: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root / "examples/jtrain/schemas", tmp_path / "examples/jtrain/schemas")
    monkeypatch.chdir(tmp_path)
    code, _, error = call_command("wave")
    assert code == 2
    assert "--study examples/jtrain" in error


def test_a_mistyped_option_is_a_usage_error(call_command: Call) -> None:
    code, _, error = call_command("wave", "--studdy", "x")
    assert code == 2
    assert "--studdy" in error


def test_errors_name_every_problem_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        Problem("[red]a[/]", "b", "c", wave="w1", file="f.csv", row="3", item="x"),
        Problem("d", "e", "f"),
    ]
    Console(quiet=False, as_json=False).error(ExportError(problems))
    error = capsys.readouterr().err
    assert "(2)" in error
    assert "wave w1 · file f.csv · row 3 · item x" in error
    assert "[red]a[/]" in error  # text of a file is never taken for markup


def test_a_disc_that_cannot_be_written_is_no_traceback(
    fresh_example: Path, call_command: Call
) -> None:
    (fresh_example / "data/processed/survey.duckdb").unlink()
    (fresh_example / "data/processed/survey.duckdb").mkdir()
    code, _, error = call_command("--study", fresh_example, "wave")
    assert code == 2
    assert "found:" in error


def test_refusal_has_an_exit_code_of_its_own() -> None:
    assert (MittelwelleError.exit_code, DisclosureError.exit_code) == (2, 3)


def test_flow_from_the_code_itself(call_command: Call) -> None:
    code, output, _ = call_command("flow", "--json")
    assert code == 0
    names = [stage["name"] for stage in json.loads(output)]
    wanted = ["read_exports", "decode", "validate", "store_wave", "harmonise", "weight"]
    wanted += ["calibrate", "derive", "protect", "estimate", "compare", "benchmark", "assess"]
    wanted += ["release", "feedback", "explain", "render_reports"]
    assert [name for name in names if name in wanted] == wanted
    _, table, _ = call_command("flow")
    assert all(name in table for name in names)


def test_doctor_finds_what_is_there(example: Path) -> None:
    checks = {check.part: check for check in examine(example)}
    assert {check.state for check in checks.values()} <= {"ok", "optional"}
    assert checks["study"].found == "jtrain: waves 1987, 1988, 1989"
    assert "1989" in checks["store"].found
    assert {"Python", "pandas", "typst", "fonts", "browser"} <= set(checks)


def test_doctor_says_what_is_missing_and_what_to_do(tmp_path: Path, call_command: Call) -> None:
    code, output, _ = call_command("doctor", "--study", tmp_path, "--json")
    assert code == 2
    study = next(check for check in json.loads(output) if check["part"] == "study")
    assert study["state"] == "missing"
    assert "--study" in study["advice"]
    code, output, _ = call_command("doctor", "--study", tmp_path)
    assert code == 2
    assert "What to do" in output


def test_doctor_sees_a_broken_store(fresh_example: Path) -> None:
    (fresh_example / "data/processed/survey.duckdb").write_text("no database")
    store = next(check for check in examine(fresh_example) if check.part == "store")
    assert store.state == "missing"
    assert "delete" in store.advice


def test_what_the_system_refuses_is_a_message(fresh_example: Path, call_command: Call) -> None:
    """Where the folder of the reports is a file, the system's own words are passed on."""
    shutil.rmtree(fresh_example / "reports")
    (fresh_example / "reports").write_text("a file", encoding="utf-8")
    code, _, error = call_command("--study", fresh_example, "wave")
    assert code == 2
    assert "reports" in error
    assert "a file that can be read and written" in error


def test_a_missing_package_is_a_message(
    example: Path, call_command: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pipeline.wave", None)
    code, output, _ = call_command("--study", example, "wave", "--json")
    assert code == 2
    problem = json.loads(output)["problems"][0]
    assert "pipeline.wave" in problem["found"]
    assert "make wave" in problem["advice"]


def test_doctor_without_its_packages(
    example: Path, monkeypatch: pytest.MonkeyPatch, call_command: Call
) -> None:
    """What is not installed, or has no fonts, or no tools, is named with what to do."""

    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", nothing)
    monkeypatch.setattr(fonts, "font_file", lambda weight: example / f"{weight}.ttf")
    monkeypatch.setenv("PATH", "")
    checks = {check.part: check for check in examine(example)}
    assert checks["pandas"].state == checks["fonts"].state == "missing"
    assert "400.ttf" in checks["fonts"].found
    assert checks["browser"].state == checks["pdftoppm"].state == "optional"
    assert all(check.advice for check in checks.values() if check.state != "ok")
    monkeypatch.setattr(metadata, "requires", nothing)
    checks = {check.part: check for check in examine(example)}
    assert checks["mittelwelle"].state == "missing"

"""The commands, their options and their exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.show import Console
from pipeline.errors import MittelwelleError, Problem

if TYPE_CHECKING:
    from pipeline.draft import Draft
    from pipeline.run import Run
    from pipeline.study import Study

EXIT_CODES = """
Exit codes: 0 done · 1 a fault of the program · 2 something to mend (bad input, unknown wave,
missing part) · 3 refused, because nothing could be published safely · 130 interrupted
"""
app = typer.Typer(
    name="mittelwelle",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES.strip(),
)
StudyOption = Annotated[
    Path | None,
    typer.Option(
        "--study",
        metavar="DIR",
        envvar="MITTELWELLE_STUDY",
        help="Folder of the study (schemas/, data/); the present folder unless given.",
        show_default=False,
    ),
]
WaveArgument = Annotated[
    str | None, typer.Argument(metavar="[WAVE]", help="Its folder below data/raw.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"mittelwelle {version('mittelwelle')}")
        raise typer.Exit


@app.callback(
    help="Survey waves of firms, from raw exports to cleared benchmark reports.\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle wave                         the newest wave of the study in this folder\n\n"
    "  mittelwelle --study examples/jtrain wave 1988\n\n"
    "  mittelwelle release                      freeze what its reports tell\n\n"
    "  mittelwelle flow                         the stages, their tables in and out\n\n"
    "  mittelwelle doctor                       what is installed, what is missing, what to do"
)
def options(
    context: typer.Context,
    study: StudyOption = None,
    version: Annotated[  # noqa: ARG001  (handled by its callback)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Remember the options that stand before the command."""
    context.obj = study


@app.command(
    help="Make the reports of a wave; earlier waves that are new or changed are taken first.\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle wave                         the newest wave\n\n"
    "  mittelwelle wave 1988                    this wave\n\n"
    "  mittelwelle wave --study examples/jtrain --json\n\n"
    "Reports are replaced as a whole; bad input leaves the store and earlier reports untouched."
)
def wave(
    context: typer.Context,
    wave: WaveArgument = None,
    study: StudyOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a wave and show what was made."""
    console = Console(quiet=quiet, as_json=as_json)
    with console.working() as announce:
        from pipeline.store import wave_log

        described, run, draft = _drafted(study or context.obj or Path(), wave, announce)
        name = run.wave
        taken = {step.wave for step in run.steps}
        records = [r for r in wave_log(described.database).to_dict("records") if r["wave"] in taken]
    console.wave(name, run.steps, records, draft, data=described.processed / name)


@app.command(
    help="Freeze what the reports of a wave tell: put it into the ledger, releases/<wave>.csv.\n\n"
    "The reports are made anew. Every number that no ledger has yet is added, with the raw files "
    "it was made from (releases/<wave>.sources.csv); rows that are there never change. Later runs "
    "hold to it: no report tells more with it than is safe. Commit both files.\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle release                      the newest wave\n\n"
    "  mittelwelle release 1988 --json\n\n"
    "  mittelwelle release --study examples/jtrain\n\n"
    "Exit code 3: nothing could be published safely; the ledger is as it was. Doing it again "
    "changes nothing."
)
def release(
    context: typer.Context,
    wave: WaveArgument = None,
    study: StudyOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a wave and release what it tells."""
    console = Console(quiet=quiet, as_json=as_json)
    with console.working() as announce:
        from pipeline.releases import write_release

        described, run, draft = _drafted(study or context.obj or Path(), wave, announce)
        written = write_release(described.releases, run.wave, draft)
    console.release(run.wave, run.steps, draft, written)


def _drafted(
    folder: Path, wave: str | None, announce: Callable[[str, str], None]
) -> tuple[Study, Run, Draft]:
    """The study, and the run and the draft of a wave, the newest unless it is named."""
    from pipeline.collect import newest_wave
    from pipeline.run import Run
    from pipeline.study import read_study
    from pipeline.wave import run_wave

    described = read_study(folder)
    run = Run(announce, described.processed / "kept")
    wave = newest_wave(described.raw) if wave is None else wave
    return described, run, run_wave(described, wave, run)


@app.command(
    help="Print the stages in order with the tables each takes and makes, from the code itself.\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle flow\n\n"
    "  mittelwelle flow --json"
)
def flow(
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a Markdown table, for documents.")
    ] = False,
) -> None:
    """Show the stages."""
    from pipeline.cli.flow import markdown, stages

    if as_markdown:
        typer.echo(markdown(stages()))
    else:
        Console(quiet=False, as_json=as_json).flow(stages())


@app.command(
    help="Say what readers of a planned publication could work out; tables made elsewhere too.\n\n"
    "CASE holds firms with true values, what is told of them, and targets, as JSON "
    "(docs/audit.md).\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle audit case.json              a table; exit code 0: safe, 1: not, 2: no case\n\n"
    "  mittelwelle audit case.json --json"
)
def audit(
    case: Annotated[Path, typer.Argument(metavar="CASE.json", help="The case.")],
    as_json: JsonOption = False,
) -> None:
    """Audit a case."""
    from pipeline.disclosure.cases import audited, read_case

    found = audited(read_case(case.read_bytes(), str(case)))
    Console(quiet=False, as_json=as_json).audit(found)
    if any(finding.verdict != "safe" for finding in found):
        raise typer.Exit(1)


@app.command(
    help="Say what is installed and what is missing, and what to do about it.\n\n"
    "[bold]Examples[/bold]\n\n"
    "  mittelwelle doctor\n\n"
    "  mittelwelle --study examples/jtrain doctor --json"
)
def doctor(context: typer.Context, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """Check the machine and the study."""
    from pipeline.cli.doctor import examine

    checks = examine(study or context.obj or Path())
    Console(quiet=False, as_json=as_json).doctor(checks)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(2)


def main() -> None:
    """Run the command; a user's mistake ends with a message and its exit code, no traceback."""
    as_json = "--json" in sys.argv
    try:
        app()
    except MittelwelleError as error:
        Console(quiet=False, as_json=as_json).error(error)
        sys.exit(error.exit_code)
    except OSError as error:
        _system_error(error, as_json=as_json)
    except ModuleNotFoundError as error:
        _missing_part(error, as_json=as_json)


def _system_error(error: OSError, **output: Any) -> None:
    found = error.strerror or str(error)
    expected, advice = "a file that can be read and written", "mend the rights or the disk"
    if isinstance(error, FileNotFoundError | IsADirectoryError):
        expected, advice = "a file of this name", "correct the path"
    problem = Problem(found, expected, advice, file=str(error.filename or ""))
    Console(quiet=False, **output).error(MittelwelleError(problem))
    sys.exit(MittelwelleError.exit_code)


def _missing_part(error: ModuleNotFoundError, **output: Any) -> None:
    advice = "run 'make wave', which sets everything up, or 'mittelwelle doctor'"
    problem = Problem(f"no package '{error.name}'", "the packages of requirements.lock", advice)
    Console(quiet=False, **output).error(MittelwelleError(problem))
    sys.exit(MittelwelleError.exit_code)

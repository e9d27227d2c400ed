"""The workshop around the code: Makefile, lock files, set-up scripts, build server."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.lock", "requirements-example.lock", "requirements-dev.lock"]
STAMPS = [".run", ".example", ".dev", ".browser"]


def run(*command: str, cwd: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess:
    """Run a command as from a fresh shell, not as part of the `make test` around it."""
    env = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    env |= {"PATH": path} if path else {}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def read_lock(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Each package of a lock with its requirement and its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    packages = {}
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        parsed = Requirement(requirement)
        assert parsed.name not in packages, f"{parsed.name} twice in {name}"
        packages[parsed.name] = (parsed, hashes)
    return packages


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def group(name: str) -> list[str]:
    """A dependency group with the groups it includes."""
    entries = []
    for entry in project()["dependency-groups"][name]:
        entries += group(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return entries


# Makefile


def test_help_is_the_default_and_lists_every_target_in_order():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split()
    targets = re.findall(r"^([a-z-]+):(?!=)", makefile, flags=re.MULTILINE)
    shown = run("make")
    assert shown.returncode == 0
    listed = re.findall(r"^  make ([a-z-]+) +\S", shown.stdout, flags=re.MULTILINE)
    assert listed == [t for t in targets if t != "venv"]
    assert set(targets) == set(phony)


@pytest.fixture
def checkout(tmp_path):
    """A copy of the workshop files with a .venv that is set up, as far as make can see."""
    for name in ["Makefile", "pyproject.toml", *LOCKS]:
        shutil.copy(ROOT / name, tmp_path)
        os.utime(tmp_path / name, (1000, 1000))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch(mode=0o755)
    (tmp_path / ".venv" / ".place").write_text(f"{tmp_path.resolve()}\n")
    for stamp in STAMPS:
        (tmp_path / ".venv" / stamp).touch()
        os.utime(tmp_path / ".venv" / stamp, (2000, 2000))
    return tmp_path


def plan(checkout, *arguments):
    """The commands make would run."""
    planned = run("make", "--dry-run", "--no-print-directory", *arguments, cwd=checkout)
    assert planned.returncode == 0, planned.stderr
    return planned.stdout.strip().splitlines()


def test_second_wave_runs_the_wave_and_nothing_else(checkout):
    assert plan(checkout, "wave", "STUDY=mine", "WAVE=2026") == [
        '.venv/bin/mittelwelle --study "mine" wave 2026'
    ]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_changed_lock_or_project_is_installed_again(checkout, changed):
    os.utime(checkout / changed, (3000, 3000))
    planned = "\n".join(plan(checkout, "wave", "STUDY=mine"))
    assert "--require-hashes --only-binary :all: --requirement requirements.lock" in planned
    assert "--no-deps --no-build-isolation --editable ." in planned
    assert "bin/bootstrap" not in planned


def test_wave_of_another_study_needs_only_the_run_lock(checkout):
    (checkout / ".venv" / ".run").unlink()
    planned = "\n".join(plan(checkout, "wave", "STUDY=mine"))
    assert "requirements.lock" in planned
    assert "requirements-example.lock" not in planned
    assert "requirements-dev.lock" not in planned


@pytest.mark.parametrize("study", ["examples/jtrain", "./examples/jtrain/"])
def test_wave_of_the_example_makes_its_data_first(checkout, study):
    script = checkout / "examples" / "jtrain" / "make_exports.py"
    script.parent.mkdir(parents=True)
    script.touch()
    planned = plan(checkout, "wave", f"STUDY={study}")
    assert ".venv/bin/python examples/jtrain/make_exports.py" in planned
    assert planned[-1].startswith(f'.venv/bin/mittelwelle --study "{study}" wave')


@pytest.mark.parametrize("damage", ["unfinished", "moved", "no python"])
def test_unusable_venv_is_made_anew_and_filled(checkout, damage):
    if damage == "unfinished":
        (checkout / ".venv" / ".place").unlink()
    elif damage == "moved":
        (checkout / ".venv" / ".place").write_text("/another/place\n")
    else:
        (checkout / ".venv" / "bin" / "python").unlink()
    planned = plan(checkout, "wave", "STUDY=mine")
    assert planned[0] == "bin/bootstrap"
    assert any(line.endswith("--requirement requirements.lock") for line in planned)


def test_clean_deletes_derived_files_only(checkout):
    study = checkout / "mine"
    for folder in ["schemas", "data/raw", "data/processed", "reports", "releases"]:
        (study / folder).mkdir(parents=True)
    (study / "schemas" / "study.toml").touch()
    assert run("make", "clean", "STUDY=mine", cwd=checkout).returncode == 0
    left = {p.relative_to(study).as_posix() for p in study.rglob("*") if p.is_dir()}
    assert left == {"schemas", "data", "data/raw", "releases"}


@pytest.mark.parametrize("study", ["", "mine"])
def test_clean_refuses_a_folder_that_is_no_study(checkout, study):
    (checkout / "mine" / "reports").mkdir(parents=True)
    refused = run("make", "clean", f"STUDY={study}", cwd=checkout)
    assert refused.returncode == 2
    assert "schemas/study.toml" in refused.stderr
    assert (checkout / "mine" / "reports").is_dir()


# Lock files


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_pins_and_hashes_and_no_addresses(name):
    text = (ROOT / name).read_text()
    for address in ["://", "http", "index", "find-links", " @ ", "/opt", "/tmp", "/home", "/root"]:
        assert address not in text, address
    for requirement, hashes in read_lock(name).values():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes), requirement


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("requirements.lock", lambda: project()["project"]["dependencies"] + group("build")),
        ("requirements.lock", lambda: project()["build-system"]["requires"]),
        ("requirements-example.lock", lambda: group("example")),
        ("requirements-dev.lock", lambda: project()["project"]["dependencies"] + group("dev")),
    ],
)
def test_lock_covers_what_the_project_declares(name, declared):
    locked = read_lock(name)
    for requirement in map(Requirement, declared()):
        pinned, _ = locked[canonicalize_name(requirement.name)]
        version = str(pinned.specifier).removeprefix("==")
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"
        assert pinned.marker is None, f"{requirement} is not locked on every platform"


def test_locks_agree():
    everything = read_lock("requirements-dev.lock")
    for name in ["requirements.lock", "requirements-example.lock"]:
        for package, entry in read_lock(name).items():
            assert everything[package] == entry, f"{package} differs in {name}"


# Set-up on a bare machine


@pytest.fixture
def machine(tmp_path):
    """A checkout and a PATH that has no Python, no apt and no browser."""
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin" / "bootstrap", tmp_path / "bin")
    (tmp_path / "path").mkdir()
    for tool in ["dirname", "id"]:
        (tmp_path / "path" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def add_python(machine, name, *, suitable=True, ensurepip=True):
    """A stand-in that answers the script's two checks and makes an empty .venv."""
    command = machine / "path" / name
    command.write_text(
        "#!/bin/sh\n"
        f'case "$*" in --version) echo "Python of {name}" ;;\n'
        f"*ensurepip*) exit {0 if suitable and ensurepip else 1} ;;\n"
        f"*version_info*) exit {0 if suitable else 1} ;;\n"
        f'*"-m venv"*) /bin/mkdir .venv && echo {name} >.venv/made_by ;; esac\n'
    )
    command.chmod(0o755)


def bootstrap(machine):
    return run(str(machine / "bin" / "bootstrap"), cwd=machine, path=str(machine / "path"))


def test_bootstrap_takes_the_newest_python_that_runs(machine):
    add_python(machine, "python3.13", suitable=False)  # as a version manager's dead command
    add_python(machine, "python3.12")
    add_python(machine, "python3.11")
    add_python(machine, "python3")
    assert bootstrap(machine).returncode == 0
    assert (machine / ".venv" / "made_by").read_text() == "python3.12\n"
    assert (machine / ".venv" / ".place").read_text() == f"{machine.resolve()}\n"


def test_bootstrap_prefers_a_complete_python_to_a_newer_one_without_ensurepip(machine):
    add_python(machine, "python3.13", ensurepip=False)
    add_python(machine, "python3.11")
    assert bootstrap(machine).returncode == 0
    assert (machine / ".venv" / "made_by").read_text() == "python3.11\n"


def test_bootstrap_names_the_debian_package_where_ensurepip_is_missing(machine):
    add_python(machine, "python3", ensurepip=False)
    add_python(machine, "python3.11", ensurepip=False)
    stopped = bootstrap(machine)
    assert stopped.returncode == 2
    assert stopped.stderr.endswith("  sudo apt-get install python3-venv\n")
    assert not (machine / ".venv").exists()


@pytest.mark.parametrize(
    ("installed", "found"), [(["python3"], "Python of python3"), ([], "no python3 that runs")]
)
def test_bootstrap_says_what_it_found_where_no_python_is_suitable(machine, installed, found):
    for name in installed:
        add_python(machine, name, suitable=False)
    stopped = bootstrap(machine)
    assert stopped.returncode == 2
    assert stopped.stderr.startswith(f"Found: {found}. Mittelwelle needs Python 3.11 to ")
    assert not (machine / ".venv").exists()


@pytest.mark.parametrize(
    ("chromium_works", "poppler", "missing"),
    [(True, True, []), (False, True, ["Chromium"]), (False, False, ["Chromium", "pdftoppm"])],
)
def test_browser_names_what_is_missing(machine, chromium_works, poppler, missing):
    chromium = machine / "path" / "chromium"  # one that does not run is Ubuntu's stand-in
    chromium.write_text(f"#!/bin/sh\nexit {0 if chromium_works else 1}\n")
    chromium.chmod(0o755)
    if poppler:
        shutil.copy(chromium, machine / "path" / "pdftoppm")
    shown = run(str(ROOT / "bin" / "browser"), path=str(machine / "path"))
    assert shown.returncode == (1 if missing else 0)
    assert re.findall(r"^  (\w+):", shown.stderr, flags=re.MULTILINE) == missing


# Build server, repository


@pytest.mark.parametrize("script", [".ci/run", "bin/bootstrap", "bin/browser"])
def test_script_is_executable_and_has_no_syntax_error(script):
    path = ROOT / script
    assert os.access(path, os.X_OK)
    shell = path.read_text().splitlines()[0].removeprefix("#!").split()
    assert run(*shell, "-n", script).stderr == ""


def test_build_server_passes_on_the_exit_code_of_make_test(tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text('test:\n\t@echo "CI is $$CI, input is `cat`."; exit 1\n')
    failed = run(str(tmp_path / ".ci" / "run"))
    assert failed.stdout == "CI is true, input is .\n"
    assert failed.returncode == 2  # make's exit code for a failed recipe
    (tmp_path / "Makefile").write_text("test:\n\t@echo passed\n")
    assert run(str(tmp_path / ".ci" / "run")).returncode == 0


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("data/raw/2026/export.csv", False),
        ("data/processed/survey.duckdb", True),
        ("reports/2026/report.pdf", True),
        ("releases/2026.csv", False),
        ("examples/jtrain/data/raw/1989/wave.toml", False),
        ("examples/jtrain/data/raw/1989/export.xlsx", True),
        ("examples/jtrain/data/raw/register/1989.csv", True),
        ("examples/jtrain/reports/1989/report.html", True),
        ("pipeline/disseminate/reports/page.py", False),
    ],
)
def test_git_tracks_what_is_delivered_and_not_what_is_derived(tmp_path, path, ignored):
    assert run("git", "init", "--quiet", str(tmp_path)).returncode == 0
    shutil.copy(ROOT / ".gitignore", tmp_path)
    checked = run("git", "check-ignore", "--quiet", path, cwd=tmp_path)
    assert checked.returncode == (0 if ignored else 1)

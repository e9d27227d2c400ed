"""What `docs/audit.md` says the command prints is what it prints."""

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.disclosure.cases import Case

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")


def test_the_example(tmp_path):
    case, answer = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "case.json").write_text(case, encoding="utf-8")
    result = CliRunner().invoke(app, ["audit", str(tmp_path / "case.json"), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == json.loads(answer)


def test_every_key_is_explained():
    assert {f"| `{name}` |" for name in Case.model_fields} <= set(re.findall(r"\| `\w+` \|", PAGE))

"""The three notebooks run from their first cell to their last, without a warning, and hold no output."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
LEAVES = {  # notebook: what it leaves beside itself, and words that it shows
    "predict": ("demo/notebook-result/report.html", ("PD-L1", "Research use only.", "'gradcam.nrrd'")),
    "train": ("demo/notebook-model.study/report.html", ("40 tumors of 40 patients", "AUC", "Pleural invasion")),
    "evaluate": ("demo/notebook-evaluation/report.html", ("'endpoint': 'PDL1'", "T4")),
}
# As a notebook does: cells in one namespace, the last expression of each is shown.
RUNNER = """
import ast, json, pathlib, sys

namespace = {"__name__": "__main__"}
sys.path.insert(0, "")
for cell in json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, sys.argv[1], "exec"), namespace)
    value = eval(compile(last, sys.argv[1], "eval"), namespace) if last else None
    if value is not None:
        print(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
"""


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    return found


def run(notebook: Path) -> str:
    """What a notebook shows, run in its folder.

    Raises:
        CalledProcessError: A cell fails.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", RUNNER, notebook.name]
    done = subprocess.run(command, cwd=notebook.parent, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def copied(name: str, folder: Path) -> Path:
    """A notebook and the page that it imports, as `pdl1 examples` writes them beside each other."""
    shutil.copyfile(EXAMPLES / "patients.py", folder / "patients.py")
    return Path(shutil.copyfile(EXAMPLES / f"{name}.ipynb", folder / f"{name}.ipynb"))


def held(notebook: dict[str, Any]) -> list[str]:
    """Ids of the cells that hold an output or the number of a run."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"] is not None]


def test_every_notebook_is_tested_and_shown_to_researchers():
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(LEAVES)
    page = (ROOT / "docs" / "researchers.md").read_text(encoding="utf-8")
    assert {name for name in LEAVES if f"(../examples/{name}.ipynb)" not in page} == set()


@pytest.mark.parametrize("name", LEAVES)
def test_a_notebook_runs_and_shows_what_it_says(name, tmp_path):
    left, words = LEAVES[name]
    shown = run(copied(name, tmp_path))
    assert [word for word in words if word not in shown] == []
    assert (tmp_path / left).is_file()


@pytest.mark.parametrize("name", LEAVES)
def test_a_notebook_is_kept_without_outputs(name):
    notebook = read(name)
    assert (notebook["nbformat"], held(notebook)) == (4, [])


def test_an_output_that_was_kept_is_told():
    notebook = read("predict")
    notebook["cells"][1] |= {"execution_count": 1, "outputs": [{"output_type": "stream", "text": ["0.79"]}]}
    assert held(notebook) == ["predict-1"]


def test_a_broken_cell_fails(tmp_path):
    notebook = copied("predict", tmp_path)
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace("pdl1.read_case(", "pdl1.no_such_function("), encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        run(notebook)

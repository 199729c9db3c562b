"""What is typed: CT and mask as positions, names that are nearly right, defaults in the help, documented exit codes."""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest

from PDL1PredictorLib.cli import ending, models
from PDL1PredictorLib.cli.main import _parser, main
from PDL1PredictorLib.cli.shell.settings_file import with_settings
from PDL1PredictorLib.core import errors
from PDL1PredictorLib.core.errors import InputError, did_you_mean
from PDL1PredictorLib.resources import example_files, sample_patient

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")
UNITS = re.compile(r"\b(in mm|share|--unit|column's unit|PDL1=0\.3|expression)\b")


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Every command that does something."""
    inner = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    found = [leaf for commands in inner for command in commands.values() for leaf in leaves(command)]
    return [*found, *([parser] if any(action.dest == "settings" for action in parser._actions) else [])]


def refusal(capsys, *words: str) -> str:
    """What a command says that ends with 2."""
    try:
        status = main(list(words))
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    return capsys.readouterr().err


def commands_of(page: Path) -> list[list[str]]:
    """The commands of a page's blocks that can be typed as they stand."""
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))  # lines that go on in the next
    lines = re.findall(r"^ {4}(?:\.venv/bin/)?(pdl1 .+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"[\[\]]", "", line) for line in lines if "..." not in line)  # [what may be left out]
    return [shlex.split(line, comments=True)[1:] for line in plain]


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=lambda page: page.name)
def test_the_commands_of_the_docs_can_be_typed(page):
    for words in commands_of(page):
        if words == ["--help"] or "COMMAND" in words:
            continue
        _, unknown = _parser().parse_known_args(models.in_full(words))
        assert unknown == [], words


def test_ct_and_mask_may_stand_before_or_behind_the_options(capsys):
    for words in ("a b --out c", "--out c a b", "--ct a --mask b --out c", "--out c a --tumor b"):
        said = refusal(capsys, "predict", *words.split(), "--model", "phantom-demo")
        assert "The CT a does not exist" in said or "a" in said.split("pdl1: ")[-1], said
    assert "a and --ct x are given: name it once" in refusal(capsys, *["predict", "a", "b", "--ct", "x", "--out", "c"])
    assert "Give one case: CT and MASK" in refusal(capsys, *["features", "a", "--out", "c"])
    assert "leave out --ct, --tumor" in refusal(capsys, *["predict", "a", "b", "--cohort", "t", "--out", "c"])
    assert "stands side by side" in refusal(capsys, *["predict", "a", "--out", "c", "b"])


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("predct a b", "predict"),
        ("cohort impot", "import"),
        ("predict a b --out c --ovrwrite", "--overwrite"),
        ("features --ct a --tumr b", "--tumor"),
        ("train --recipe dlr --ship led --out m", "lead"),
        ("models phantom-dmo", "phantom-demo"),
        ("predict a b --model Phantom_demo --out c", "phantom-demo"),
        ("train --recipe deepradscor --out m", "deepradscore"),
        ("train --recipe dlr --endpoints PDL --out m", "PDL1"),
        ("cohort describe t --by", ""),
        ("quux", ""),
    ],
)
def test_a_name_that_is_nearly_right_is_told(capsys, words, meant):
    said = refusal(capsys, *words.split())
    assert (f"Did you mean {meant}" in said) if meant else ("Did you mean" not in said)


def test_two_names_may_be_equally_near_and_letters_may_be_large_or_small():
    assert did_you_mean("egfr", ["EGFR", "KRAS"]) == " Did you mean EGFR?"
    assert did_you_mean("ab1", ["ab2", "ab3", "zz"], "--") == " Did you mean --ab3 or --ab2?"
    assert did_you_mean("x", ["yes"]) == ""


def test_several_options_that_are_not_known_have_their_names_each(capsys):
    said = refusal(capsys, *["predict", "a", "b", "--out", "c", "--modle", "x", "--devise", "cpu"])
    assert " --modle: Did you mean --model?" in said
    assert " --devise: Did you mean --device?" in said


def test_every_option_says_its_default_and_every_measure_its_unit():
    for command in leaves(_parser()):
        formatter = command._get_formatter()
        for action in command._actions:
            if not action.option_strings or action.dest == "help":
                continue
            text = formatter._get_help_string(action)
            assert action.required or "default" in text, (command.prog, action.option_strings)
            if action.type is float:
                assert UNITS.search(text), (command.prog, action.option_strings, text)


def test_a_models_card_and_what_it_is(capsys):
    assert main(["models", "phantom-demo"]) == 0
    said = capsys.readouterr().out
    assert said.startswith((ROOT / "Resources/Models/phantom-demo/MODEL_CARD.md").read_text(encoding="utf-8")[:200])
    assert "\nphantom-demo 1.0.0, sha256 378a948720d1" in said
    assert main(["models", "show", "phantom-demo", "--progress", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "phantom-demo"
    assert models.in_full(["models", "import", "x"]) == ["models", "import", "x"]
    assert models.in_full(["models", "--progress", "json"]) == ["models", "--progress", "json"]


def test_the_version_says_what_a_report_of_a_fault_needs(capsys):
    assert main(["version", "--progress", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {"version", "python", "platform", "packages", "package", "models"} <= set(facts)
    assert {"numpy", "SimpleITK", "onnxruntime", "pydicom"} <= set(facts["packages"])
    assert any(one.startswith("phantom-demo 1.0.0, sha256 378a948720d1") for one in facts["models"])


def test_the_examples_are_written_whole(tmp_path, capsys):
    assert main(["examples", "--out", str(tmp_path / "start")]) == 0
    names = {path.name for path in (tmp_path / "start").iterdir()}
    assert names == {path.name for path in (*sample_patient(), *example_files())}
    assert {"predict_one_case.py", "settings.toml", "PDL1Sample-ct.nrrd"} <= names
    assert main(["examples", "--out", str(tmp_path / "start")]) == 2


def test_the_documented_exit_codes_are_those_of_the_code():
    table = SHELL.partition("| code | meaning |")[2].partition("\n\n")[0]
    documented = [int(code) for code in re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)]
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert documented == sorted({0, *known})
    for page in PAGES:  # one page says it
        assert "| code | meaning |\n|---|---|\n| 0 |" not in page.read_text(encoding="utf-8") or page.name == "shell.md"
    told = re.findall(r"\b(\d+) (?:done|refused|a fault|interrupted|nobody)", f"{main.__doc__} {ending.ended.__doc__}")
    assert set(map(int, told)) == set(documented)


def test_the_settings_of_the_docs_are_taken(tmp_path):
    text = SHELL.partition("```toml\n")[2].partition("```")[0]
    file = tmp_path / "s.toml"
    file.write_text(text, encoding="utf-8")
    settled = with_settings(_parser(), ["predict", "a", "b", "--settings", str(file)], {})
    assert settled.added == ["--device=cpu", "--workers=2", "--lesion=all", "--no-stability"]
    file.write_text(text.replace("lesion", "lesson"), encoding="utf-8")
    with pytest.raises(InputError, match="lesson is no option"):
        with_settings(_parser(), ["predict", "a", "b", "--settings", str(file)], {})

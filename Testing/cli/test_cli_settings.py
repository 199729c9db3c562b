"""Settings in a file and in variables: who goes before whom, and that a misspelled name is not passed over."""

import shutil
from pathlib import Path

import pytest

from PDL1PredictorLib.cli.main import _parser, main
from PDL1PredictorLib.cli.shell.settings_file import default_file, options_of, with_settings
from PDL1PredictorLib.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "settings.toml"
SAMPLE = ROOT / "Resources" / "SampleData"


@pytest.fixture
def file(tmp_path: Path):
    """Writes settings; gives their path."""

    def written(text: str) -> str:
        path = tmp_path / "einstellungen ü.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def settled(words: str, settings: str, **variables: str):
    return with_settings(_parser(), [*words.split(), "--settings", settings], variables)


def chosen(words: str, settings: str, **variables: str):
    """The options as the command finds them."""
    return _parser().parse_args(settled(words, settings, **variables).words)


def test_what_is_typed_goes_before_a_variable_a_variable_before_the_file_the_file_before_the_default(file):
    path = file('device = "cuda"\n')
    words = "predict a b --out c"
    assert chosen(words, "none").device == "auto"
    assert chosen(words, path).device == "cuda"
    assert chosen(words, path, PDL1_DEVICE="mps").device == "mps"
    assert chosen(f"{words} --device cpu", path, PDL1_DEVICE="mps").device == "cpu"
    assert chosen(f"{words} --dev cpu", path).device == "cpu"  # abbreviated
    assert chosen(f"{words} --device=cpu", path).device == "cpu"


def test_the_table_of_a_command_goes_before_what_holds_for_all(file):
    path = file("workers = 1\n[predict]\nworkers = 2\n[cohort]\nworkers = 3\n[cohort.features]\nworkers = 4\n")
    assert chosen("predict a b --out c", path).workers == 2
    assert chosen("cohort check t", path).workers == 3
    assert chosen("cohort features t --out c", path).workers == 4
    assert chosen("evaluate --model m --cohort t --out c", path).workers == 1
    assert settled("phantom --out c", path).added == []  # it knows no such option


def test_switches_lists_and_names_with_underscores(file):
    path = file('[predict]\nno_stability = true\nexclude-air = false\nprevalence = ["PDL1=0.3", "EGFR=0.2"]\n')
    found = chosen("predict a b --out c", path)
    assert (found.no_stability, found.exclude_air) == (True, None)
    assert found.prevalence == ["PDL1=0.3", "EGFR=0.2"]
    assert chosen("predict a b --out c --prevalence PDL1=0.5", path).prevalence == ["PDL1=0.5"]  # not both
    assert not chosen("predict a b --out c", path, PDL1_NO_STABILITY="0").no_stability
    assert chosen("predict a b --out c", "none", PDL1_NO_STABILITY="yes").no_stability
    trained = chosen("train --recipe deepradscore --out m", file("[train]\nepochs = [1, 2]\n"))
    assert trained.epochs == [1, 2]


def test_an_option_that_must_be_given_may_come_from_the_file(file):
    assert chosen("phantom", file('out = "x"\n')).out == Path("x")


def test_two_names_of_one_option_are_one(file):
    path = file('[predict]\nmask = "m.nii"\n')
    assert chosen("predict --ct a --out c", path).tumor == Path("m.nii")
    assert chosen("predict --ct a --tumor t --out c", path).tumor == Path("t")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('devise = "cpu"', "devise is no option that can be set. Did you mean device"),
        ("[predict]\nworker = 2", r"\[predict\] worker is no option that can be set. Did you mean workers"),
        ("[predct]\nworkers = 2", "there is no command predct. Did you mean predict"),
        ("[cohort.feature]\nworkers = 2", "there is no command cohort feature. Did you mean cohort features"),
        ("[models]\ndevice = 1", r"\[models\] device is no option that can be set"),
        ('settings = "x"', "settings is no option that can be set"),
        ('workers = "many"', "workers cannot be 'many'"),
        ('[train]\nship = "led"', "ship cannot be 'led'. Did you mean lead"),
        ("no-stability = 1", "no-stability is on or off"),
        ("device = true", "device takes one value"),
        ('device = ["cpu", "cuda"]', "device takes one value"),
        ("device = 2020-01-01", "A setting is a text, a number"),
        ("device = ", "are no TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_refused(file, text, words):
    command = "train --recipe dlr --out c" if "ship" in text else "predict a b --out c"
    with pytest.raises(InputError, match=words):
        settled(command, file(text))


def test_a_file_that_was_named_must_be_there_and_the_users_own_need_not(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        settled("predict a b --out c", str(tmp_path / "none.toml"))
    words = ["phantom", "--out", "c"]
    monkeypatch.setattr("sys.platform", "linux")
    variables = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert with_settings(_parser(), words, variables).words == words
    path = default_file(variables)
    assert path == tmp_path / "pdl1predictor" / "settings.toml"
    path.parent.mkdir()
    path.write_text("n = 3\n")
    assert with_settings(_parser(), words, variables).added == ["--n=3"]
    assert with_settings(_parser(), words, {**variables, "PDL1_SETTINGS": "none"}).added == []
    assert with_settings(_parser(), [*words, "--settings=none"], variables).added == []


def test_the_users_folder_is_that_of_each_system(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    assert default_file({"APPDATA": "roaming"}) == Path("roaming", "pdl1predictor", "settings.toml")
    monkeypatch.setattr("sys.platform", "darwin")
    assert "Application Support" in default_file({}).parts


def test_help_is_not_kept_from_anybody_by_a_bad_file(file, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["predict", "--help", "--settings", file("[[[")])
    assert stopped.value.code == 0


def test_the_command_says_what_it_took_and_reports_tell_it_whole(file, monkeypatch, capsys):
    from PDL1PredictorLib.study import conduct

    commands = []

    def refuse(plan, *_):
        commands.append(plan.command)
        raise InputError("Not today.")

    monkeypatch.setattr(conduct, "conduct", refuse)
    path = file("seed = 7\n")
    assert main(["train", "--recipe", "deepradscore", "--out", "m", "--settings", path]) == 2
    assert f"pdl1: note: settings from {path}: --seed=7\n" in capsys.readouterr().err
    assert commands[0].startswith("pdl1 train --seed=7 --recipe deepradscore --out m ")


def test_a_bad_file_ends_the_command_with_2_and_one_line(file, capsys):
    assert main(["version", "--settings", file("devise = 1")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_example_file_is_read_by_a_command(tmp_path, capsys):
    ct, mask = SAMPLE / "PDL1Sample-ct.nrrd", SAMPLE / "PDL1Sample-tumor.seg.nrrd"
    table = tmp_path / "f.csv"
    assert main(["features", str(ct), str(mask), "--settings", str(EXAMPLE), "--out", str(table)]) == 0
    assert "settings from" in capsys.readouterr().err
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 2 * 88  # the preset karim, not the default
    shutil.copy(EXAMPLE, tmp_path / "changed.toml")
    with (tmp_path / "changed.toml").open("a", encoding="utf-8") as stream:
        stream.write("[featurs]\npreset = 'karim'\n")
    arguments = ["features", str(ct), str(mask), "--settings", str(tmp_path / "changed.toml"), "--out", str(table)]
    assert main([*arguments, "--overwrite"]) == 2


def test_every_command_takes_settings():
    def leaves(parser):
        inner = [action.choices for action in parser._actions if hasattr(action.choices, "values")]
        return [leaf for one in inner for each in one.values() for leaf in leaves(each)] or [parser]

    for command in leaves(_parser()):
        assert "settings" in {action.dest for action in command._actions}, command.prog
        assert options_of(command)

"""The tables of rooms in docs/architecture.md, held against the real imports, those inside functions too."""

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import PDL1PredictorLib

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "PDL1PredictorLib"
WINDOW = ROOT / "PDL1Predictor" / "PDL1PredictorGUI"
FORBIDDEN = {"slicer", "qt", "ctk", "vtk", "pickle", "shap"}
HEAVY = {"torch", "SimpleITK", "sklearn", "onnxruntime", "scipy"}
MEDIAN_FUNCTION, LONG_FUNCTION, LONGEST_FUNCTION = 10, 30, 75  # lines: the middle one, nine of ten, all
MOST_FILES, MOST_LINES, MEDIAN_LINES = 20, 400, 130  # flat in a folder; of a file; of the middle file


def read_table(text: str, heading: str) -> dict[str, set[str]]:
    """Rows such as "| `imaging/` | what it holds | core |": room to the rooms it may import."""
    rooms: dict[str, set[str]] = {}
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    for name, allowed in re.findall(r"^\| `([\w.]+)/?` \|(?:[^|]*\|)? ([^|]*) \|$", table, flags=re.MULTILINE):
        rooms[name] = set(re.findall(r"[\w.]+", allowed))
    return rooms


def imported(source: str, here: str) -> set[str]:
    """Top-level names of everything that a file imports; rooms of the library as `room`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{here} uses a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(source: str, here: str, house: Path = LIBRARY) -> set[str]:
    prefix = f"{house.name}."
    parts = {name.removeprefix(prefix).split(".")[0] for name in imported(source, here) if name.startswith(prefix)}
    return {part for part in parts if (house / part).is_dir() or (house / f"{part}.py").is_file()}


def faults(room: str, allowed: set[str], source: str, house: Path = LIBRARY) -> set[str]:
    if allowed & {"every", "everything"}:
        return set()
    return rooms_used(source, room, house) - allowed - {room}


def borrowed(source: str, here: str) -> set[str]:
    """Names that a file takes from a page that has them only by import itself: `page.name`."""
    found = set()
    for name in imported(source, here):
        page, _, what = name.rpartition(".")
        file = ROOT / f"{page.replace('.', '/')}.py"
        if page.startswith("PDL1Predictor") and file.is_file() and what not in own_names(file):
            found.add(name)
    return found


def own_names(file: Path) -> set[str]:
    """What a page defines itself."""
    names: set[str] = set()
    for node in _statements(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {leaf.id for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a page, those inside `if`, `try` and `with` too."""
    found = []
    for node in body:
        found.append(node)
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                found += _statements(getattr(node, part, []))
        if isinstance(node, ast.Try):
            found += [inner for handler in node.handlers for inner in _statements(handler.body)]
    return found


def circle(uses: dict[str, set[str]]) -> list[str]:
    """A way from a page back to itself, or nothing."""
    done: set[str] = set()

    def walk(page: str, way: list[str]) -> list[str]:
        if page in way:
            return [*way[way.index(page) :], page]
        if page in done:
            return []
        for other in sorted(uses.get(page, ())):
            if found := walk(other, [*way, page]):
                return found
        done.add(page)
        return []

    return next((found for page in sorted(uses) if (found := walk(page, []))), [])


def pages_used(file: Path) -> set[str]:
    """Other pages of both houses that a page imports, as `PDL1PredictorLib.core.errors`."""
    found = set()
    for name in imported(file.read_text(encoding="utf-8"), str(file)):
        for page in (name, name.rpartition(".")[0]):
            if page.startswith("PDL1Predictor") and (root_of(page) / f"{page.replace('.', '/')}.py").is_file():
                found.add(page)
    return found


def function_sizes(source: str) -> list[int]:
    """Lines of every function, its docstring left out."""
    sizes = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            is_words = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            words = (first.end_lineno or 0) - first.lineno + 1 if is_words else 0
            sizes.append((node.end_lineno or 0) - node.lineno + 1 - words)
    return sizes


def root_of(page: str) -> Path:
    return WINDOW.parent if page.startswith("PDL1PredictorGUI") else ROOT


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TABLE = read_table(ARCHITECTURE, "room")
WINDOW_TABLE = read_table(ARCHITECTURE, "room of the window")
FILES = sorted(LIBRARY.rglob("*.py"))
WINDOW_FILES = sorted(WINDOW.rglob("*.py"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_the_tables_name_every_room_and_no_other():
    rooms = {path.name for path in LIBRARY.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    modules = {path.name for path in LIBRARY.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert set(TABLE) == rooms | modules
    assert set(WINDOW_TABLE) == {path.name for path in WINDOW.iterdir() if path.is_dir() and any(path.glob("*.py"))}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_room_imports_only_what_the_table_allows(file: Path):
    room = file.relative_to(LIBRARY).parts[0]
    if room in ("__init__.py", "__main__.py"):
        return
    assert not faults(room, TABLE[room], file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", WINDOW_FILES, ids=name_of)
def test_a_room_of_the_window_imports_only_what_the_table_allows(file: Path):
    room = file.relative_to(WINDOW).parts[0]
    allowed = set() if room == "__init__.py" else WINDOW_TABLE[room] - {"nothing"}
    assert not faults(room, allowed, file.read_text(encoding="utf-8"), WINDOW)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_library_imports_nothing_of_the_application_and_no_pickle(file: Path):
    names = {name.split(".")[0] for name in imported(file.read_text(encoding="utf-8"), str(file))}
    assert not names & FORBIDDEN


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nobody_imports_through_a_third_page(file: Path):
    assert not borrowed(file.read_text(encoding="utf-8"), str(file))


def test_no_pages_import_each_other_in_a_circle():
    uses = {name_of(file).removesuffix(".py").replace("/", "."): pages_used(file) for file in FILES}
    assert circle(uses) == []


def test_folders_and_files_stay_small():
    for house in (LIBRARY, WINDOW):
        for folder in (house, *(path for path in house.rglob("*") if path.is_dir())):
            pages = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            assert len(pages) <= MOST_FILES, f"{name_of(folder)} holds {len(pages)} files: make rooms of it"
    sizes = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in (*FILES, *WINDOW_FILES)}
    assert {name_of(file): size for file, size in sizes.items() if size > MOST_LINES} == {}
    library = [sizes[file] for file in FILES if file.name != "__init__.py"]
    assert statistics.median(library) <= MEDIAN_LINES


def test_functions_stay_short():
    sizes = [size for file in (*FILES, *WINDOW_FILES) for size in function_sizes(file.read_text(encoding="utf-8"))]
    assert statistics.median(sizes) <= MEDIAN_FUNCTION
    assert statistics.quantiles(sizes, n=10)[-1] <= LONG_FUNCTION
    assert max(sizes) <= LONGEST_FUNCTION


def test_the_size_of_a_function_leaves_out_its_docstring():
    assert function_sizes('def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n') == [3]


def test_a_forbidden_import_inside_a_function_is_seen():
    source = "def f():\n    from PDL1PredictorLib.study.run import run_study\n    return run_study\n"
    assert faults("imaging", {"core"}, source) == {"study"}


def test_an_import_of_a_room_by_the_package_is_seen():
    assert faults("core", set(), "from PDL1PredictorLib import imaging\n") == {"imaging"}


def test_a_wrong_import_in_the_window_is_seen():
    assert faults("setup", set(), "from PDL1PredictorGUI.window import live\n", WINDOW) == {"window"}


def test_an_import_through_a_third_page_is_seen():
    source = "from PDL1PredictorLib.core.case import Case, InputError\n"
    assert borrowed(source, "here") == {"PDL1PredictorLib.core.case.InputError"}


def test_a_circle_is_seen():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_nobody_imports_study_but_the_command_line_and_the_face_of_the_package():
    users = {
        file.relative_to(LIBRARY).parts[0]
        for file in FILES
        if "study" in rooms_used(file.read_text(encoding="utf-8"), str(file))
    }
    assert users <= {"cli", "study", "__init__.py"}


def test_nobody_imports_the_face_but_the_package():
    users = {name_of(file) for file in FILES if "PDL1PredictorLib.face" in pages_used(file)}
    assert users == {"PDL1PredictorLib/__init__.py"}
    inside = {name for file in FILES for name in imported(file.read_text(encoding="utf-8"), str(file))}
    assert not inside & {f"PDL1PredictorLib.{name}" for name in PDL1PredictorLib._PAGES}


def test_no_page_hides_a_name_of_the_package():
    """The import system binds a page's name on the package, where it would stand in a function's place."""
    pages = {path.stem for path in LIBRARY.iterdir()}
    assert not pages & set(PDL1PredictorLib.__all__)


def test_importing_the_package_and_its_command_line_loads_nothing_heavy():
    code = f"import sys, PDL1PredictorLib.cli.main; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

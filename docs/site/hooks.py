"""What mkdocs needs besides `mkdocs.yml`: a page of public names for every room, and links that leave `docs/`.

The pages of names are made here and lie nowhere: what a room holds is what its page shows. In the repository a link
such as `../examples/read_result.py` leads to the file beside `docs/`; on the site, to the same file in the repository.
"""

import ast
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "PDL1PredictorLib"
FOLDERS = sorted(path.name for path in LIBRARY.iterdir() if path.is_dir() and any(path.glob("*.py")))
NO_PAGE = ("cli",)  # commands are described by `pdl1 --help`
SHORT = "    options:\n      show_root_full_path: false"  # in the heading: the name alone
FACE = (
    "PDL1PredictorLib.face.read_case",
    "PDL1PredictorLib.face.load_model",
    "PDL1PredictorLib.face.predict",
    "PDL1PredictorLib.face.features",
    "PDL1PredictorLib.cohort.table.read_cohort",
    "PDL1PredictorLib.face.Prediction",
    "PDL1PredictorLib.face.Features",
    "PDL1PredictorLib.face.AnyCase",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of names."""
    for room in (*FOLDERS, "prediction", "resources"):
        if room not in NO_PAGE:
            files.append(File.generated(config, f"api/{room}.md", content=names_of(room)))
    files.append(File.generated(config, "api/face.md", content=face()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that leave `docs/` to the repository."""
    return re.sub(r"\]\(\.\./", f"]({config.repo_url.rstrip('/')}/blob/main/", markdown)


def names_of(room: str) -> str:
    """The page of a room: its purpose, then the public names of each of its pages, in the order of the alphabet."""
    place = LIBRARY / room
    pages = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    modules = [".".join(page.relative_to(ROOT).with_suffix("").parts) for page in pages if page.name != "__init__.py"]
    about = _docstring(place / "__init__.py") if place.is_dir() else ""
    return "\n\n".join([f"# {room}", about, *(f"::: {module}" for module in modules)])


def face() -> str:
    """The page of what `import PDL1PredictorLib as pdl1` gives: the functions, then what they take and give."""
    return "\n\n".join(["# The face", _docstring(LIBRARY / "face.py"), *(f"::: {name}\n{SHORT}" for name in FACE)])


def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""

"""Maps what lies beside the library into the wheel: models, sample patient, network of contours and examples.

The rest of the wheel is pyproject.toml's. In a checkout they lie in the root, where Slicer's extension packs them from.
`PDL1PredictorLib.resources` looks in both places, so that nothing of them stands twice in the repository.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
INTO = "PDL1PredictorLib/Resources"
#: Folder in the repository: its folder in the wheel, and which of its files
MAPPED = {
    "Resources/Models": (f"{INTO}/Models", "**/*"),
    "Resources/SampleData": (f"{INTO}/SampleData", "*"),
    "Resources/Segmenter": (f"{INTO}/Segmenter", "*"),
    "examples": (f"{INTO}/examples", "*.[pti][yop]*"),  # scripts, notebooks (.ipynb), settings (.toml)
}


class BuildWithResources(build_py):
    """The library's pages, and the mapped folders beside them."""

    def run(self) -> None:
        """Copy them into the folder that becomes the wheel; an editable installation finds them where they lie."""
        super().run()
        if not self.editable_mode:
            for source, target in self._pairs():
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target), preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Every file that is made."""
        mapped = [] if self.editable_mode else [str(target) for _, target in self._pairs()]
        return [*super().get_outputs(include_bytecode), *mapped]

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold to make the wheel."""
        mapped = [source.relative_to(ROOT).as_posix() for source, _ in self._pairs()]
        return [*super().get_source_files(), *mapped]

    def _pairs(self) -> list[tuple[Path, Path]]:
        made = Path(self.build_lib)
        return [
            (file, made / target / file.relative_to(ROOT / folder))
            for folder, (target, which) in MAPPED.items()
            for file in sorted((ROOT / folder).glob(which))
            if file.is_file() and "__pycache__" not in file.parts
        ]


setup(cmdclass={"build_py": BuildWithResources})

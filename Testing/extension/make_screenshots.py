"""Pictures of the module's real window for the documentation, made in the headless host of packages/slicerhost.

    python Testing/extension/make_screenshots.py [FOLDER]       (or: make screenshots)

walks through the tutorial of docs/slicer.md with the bundled sample patient and model, by clicks on the window's own
buttons, and writes docs/images/slicer-*.png, or the same pictures into FOLDER.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packages" / "slicerhost" / "src"))

import slicerhost  # noqa: E402

slicerhost.set_environment()  # before anything imports Qt or VTK

IMAGES = ROOT / "docs" / "images"
SIZE = (1180, 820)
SECTIONS = ("patient", "tumor", "regions", "predict", "results", "batch", "models")
PALETTE_COLORS = 256  # small files; the window is mostly gray
VIEW_MM = 190.0  # width of the slice views when they show the tumor
PANEL_MARGIN = 12  # pixels below the last section of a picture of the panel alone
WAIT_S = 300


class Walk:
    """The window, and where its pictures go."""

    def __init__(self, folder: Path) -> None:
        import slicer

        slicerhost.start(testing=True)
        slicerhost.load_module(ROOT / "PDL1Predictor" / "PDL1Predictor.py")
        self.folder = folder
        self.window = slicerhost.MainWindow("PDL1Predictor", SIZE)
        self.window.setWindowTitle("3D Slicer")
        self.widget = slicer.modules.pdl1predictor.widgetRepresentation().self()
        self.ui = self.widget.ui

    def open_only(self, *names: str) -> None:
        """Opens some sections and closes the others, so that they are seen without scrolling."""
        for name in SECTIONS:
            getattr(self.ui, f"{name}Section").collapsed = name not in names
        slicerhost.process_events(0.2)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Runs the event loop until something is so.

        Raises:
            TimeoutError: It does not become so.
        """
        slicerhost.wait_until(condition, WAIT_S)

    def picture(self, name: str, fit: bool = False) -> None:
        """Writes one picture with few colors: small, and sharp where a JPEG would smear the letters."""
        slicerhost.process_events(0.2)
        path = self.folder / f"slicer-{name}.png"
        self.window.screenshot(path, fit)
        self.fewer_colors(path)

    def panel(self, name: str) -> None:
        """The same of the module's panel alone, down to its last section: CT slices take most of a file's bytes."""
        slicerhost.process_events(0.2)
        path = self.folder / f"slicer-{name}.png"
        last = getattr(self.ui, f"{SECTIONS[-1]}Section")
        panel = last.parentWidget()
        bottom = last.geometry.bottom() + PANEL_MARGIN
        panel.grab(panel.rect.adjusted(0, 0, 0, bottom - panel.rect.height())).save(str(path))
        self.fewer_colors(path)

    @staticmethod
    def fewer_colors(path: Path) -> None:
        """Writes a picture again with few colors."""
        from PIL import Image

        with Image.open(path) as picture:
            every = picture.convert("RGB")
        few = every.quantize(PALETTE_COLORS, kmeans=3)
        few = every.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG)
        few.save(path, optimize=True)
        print(path)


def load_patient(walk: Walk) -> None:
    """Step 1."""
    walk.ui.sampleButton.click()
    walk.widget.shared.live.settle()
    walk.open_only("patient")
    walk.panel("sample")


def outline(walk: Walk) -> None:
    """Steps 2 and 3: the tumor's outline, the ring as a segment, the measures."""
    walk.ui.showRingCheckBox.click()
    walk.widget.shared.live.settle()
    walk.open_only("tumor", "regions")
    zoom_to_tumor(walk)
    walk.picture("tumor")


def zoom_to_tumor(walk: Walk) -> None:
    """Brings the slice views to the middle of the tumor, as a user does with the mouse."""
    import slicer

    parameters = walk.widget.shared.parameters
    place = parameters.segmentation.GetSegmentCenterRAS(parameters.segment_id)
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        view.JumpSliceByCentering(*place)
        wide, high, deep = view.GetFieldOfView()
        view.SetFieldOfView(VIEW_MM, VIEW_MM * high / wide, deep)


def predict(walk: Walk) -> None:
    """Step 4."""
    from PDL1PredictorGUI.window.predict_section import State

    walk.open_only("predict")
    walk.ui.predictButton.click()
    walk.wait(lambda: walk.widget.predict.state is State.IDLE)
    if walk.widget.results.result is None:
        raise RuntimeError(walk.ui.outcomeLabel.text)


def results(walk: Walk) -> None:
    """Step 5: the answers, the heat map, the chart of contributions."""
    walk.ui.showRingCheckBox.click()  # the heat map is seen better without it
    walk.widget.shared.live.settle()
    walk.open_only("results")
    walk.ui.jumpButton.click()
    walk.ui.contributionChartButton.click()
    walk.picture("results")
    walk.ui.closeChartButton.click()


def batch(walk: Walk) -> None:
    """Step 6: two small patients in a folder, and one that cannot be used."""
    import SimpleITK as sitk

    from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
    from PDL1PredictorLib.phantom.patient import make_patient

    with tempfile.TemporaryDirectory(prefix="batch-") as folder:
        cases, out = Path(folder) / "cohort", Path(folder) / "results"
        cases.mkdir()
        for number in (3, 4):
            case = make_patient(2028, number, extent="tumor").case
            case.ct.SetMetaData(SYNTHETIC_KEY, SYNTHETIC_MARK)
            sitk.WriteImage(case.ct, str(cases / f"patient{number}_ct.nrrd"))
            sitk.WriteImage(case.tumor, str(cases / f"patient{number}_tumor.nrrd"))
        sitk.WriteImage(case.ct, str(cases / "patient5_ct.nrrd"))
        walk.open_only("batch")
        walk.ui.batchFolderEdit.currentPath = str(cases)
        walk.ui.batchOutEdit.currentPath = str(out)
        walk.ui.findCasesButton.click()
        walk.ui.batchButton.click()
        walk.wait(lambda: not walk.widget.batch.running)
        # What a reader sees, not where this computer keeps it
        for edit, path in ((walk.ui.batchFolderEdit, "/data/cohort"), (walk.ui.batchOutEdit, "/data/results")):
            edit.blockSignals(True)
            edit.currentPath = path
            edit.blockSignals(False)
        said = walk.ui.batchOutcomeLabel
        said.text = said.text.replace(str(out), "/data/results")
        walk.panel("batch")


def models(walk: Walk) -> None:
    """Section 7, and the last page of the guide to a training on a table whose images are not opened."""
    section = walk.widget.models
    walk.open_only("models")
    walk.ui.modelsTable.setCurrentCell(0, 0)
    walk.panel("models")
    with tempfile.TemporaryDirectory(prefix="cohort-") as parent:
        folder = Path(parent)
        rows = ["case,image,mask,PDL1,EGFR,age_years"]
        for i in range(120):
            for name in (f"p{i}_ct.nrrd", f"p{i}_tumor.nrrd"):
                (folder / name).write_bytes(b"is not opened")
            rows.append(f"p{i},p{i}_ct.nrrd,p{i}_tumor.nrrd,{int(i % 3 == 0)},{int(i % 4 == 0)},{50 + i % 30}")
        (folder / "cases.csv").write_text("\n".join(rows), encoding="utf-8")
        walk.ui.trainButton.click()
        guide = section.guide
        guide.source.table.currentPath = str(folder / "cases.csv")
        guide.source.images.setChecked(False)
        guide.next_button.click()
        walk.wait(lambda: not guide.command.running)
        guide.next_button.click()
        # What a reader sees, not where this computer keeps it
        guide.settings.folder.currentPath = "/data"
        said = guide.settings.command.plainText
        guide.settings.command.setPlainText(said.replace(str(folder), "/data"))
        slicerhost.process_events(0.2)
        path = walk.folder / "slicer-guide.png"
        guide.dialog.grab().save(str(path))
        walk.fewer_colors(path)
        guide.close()


def main(folder: Path) -> None:
    """All pictures, in the tutorial's order."""
    folder.mkdir(parents=True, exist_ok=True)
    walk = Walk(folder)
    for step in (load_patient, outline, predict, results, batch, models):
        step(walk)
    if slicerhost.slot_errors:
        raise RuntimeError(f"the window reported {slicerhost.slot_errors}")
    walk.window.dismiss()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES))

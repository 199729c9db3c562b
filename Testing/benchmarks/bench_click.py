"""The time of *One click* in the module's window, from the click to the segment, in the headless host.

    python Testing/benchmarks/bench_click.py [--ct CT --point=X,Y,Z] [--runs 5]

Each run is a process of its own: its first click imports what a contour takes and makes the network ready, the later
ones do not. Without --ct the bundled sample patient. Medians, by the clock and by processor time: what other programs
do meanwhile adds to the clock.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "packages" / "slicerhost" / "src", ROOT / "PDL1Predictor", ROOT):
    sys.path.insert(0, str(folder))
SAMPLE = ROOT / "Resources" / "SampleData"
TITLES = ("first click", "second click")


def measured(ct: Path, point: tuple[float, float, float] | None) -> list[dict[str, float]]:
    """Two clicks in a window: seconds by the clock and of processor time until the segment is there.

    Args:
        ct: A CT; its file or folder.
        point: LPS, in mm; None for the middle of the sample's tumor.
    """
    import slicerhost

    slicerhost.set_environment()
    slicerhost.start()
    import SimpleITK as sitk
    import slicer
    import vtk
    from PDL1PredictorGUI.scene import bridge, outline

    from PDL1PredictorLib.imaging.read import read_ct, read_mask

    image = read_ct(ct).image
    if point is None:
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(read_mask(SAMPLE / "PDL1Sample-tumor.seg.nrrd", image).image)
        point = shape.GetCentroid(1)
    window = slicerhost.load_module(ROOT / "PDL1Predictor" / "PDL1Predictor.py").widgetRepresentation().self()
    slicer.app.moduleManager().select("PDL1Predictor")
    parameters = window.shared.parameters
    parameters.volume = bridge.volume_of_image(image, "CT")
    slicerhost.process_events(1.0)
    found = []
    for moved_mm in (0.0, 0.5):  # the second goes into the same segment
        window.ui.pointButton.click()
        (node,) = slicer.util.getNodesByClass("vtkMRMLMarkupsNode")
        began, worked = perf_counter(), process_time()
        node.AddControlPointWorld(vtk.vtkVector3d(-point[0] + moved_mm, -point[1], point[2]))
        slicerhost.wait_until(lambda: not slicer.util.getNodesByClass("vtkMRMLMarkupsNode"), 60)
        found.append({"clock_s": perf_counter() - began, "processor_s": process_time() - worked})
        drawn = outline.outline_in(parameters.segmentation, parameters.segment_id)
        assert drawn is not None, window.ui.clickLabel.text
        found[-1]["network"] = drawn.method.startswith("network")
        window.shared.live.settle()
    return found


def table(runs: list[list[dict[str, float]]]) -> list[str]:
    """Rows of Markdown: medians over the runs."""
    lines = ["| | runs | s by the clock | s of processor time |", "|---|---|---|---|"]
    for title, clicks in zip(TITLES, zip(*runs, strict=True), strict=True):
        cells = (f"{median(one[name] for one in clicks):.2f}" for name in ("clock_s", "processor_s"))
        lines.append(f"| {title} | {len(clicks)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Run, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--ct", type=Path, default=SAMPLE / "PDL1Sample-ct.nrrd")
    parser.add_argument("--point", type=lambda text: tuple(map(float, text.split(","))))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measured(options.ct, options.point)), flush=True)
        os._exit(0)  # the host's own end takes longer than the clicks
    runs = []
    for _run in range(options.runs):
        command = [sys.executable, __file__, *sys.argv[1:], "--child"]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        runs.append(json.loads(told.splitlines()[-1]))
        print(runs[-1], file=sys.stderr, flush=True)
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main()

"""What the tests of the window do again and again."""

from pathlib import Path

import slicer
import slicerhost
from PDL1PredictorGUI.background import predictor
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup import processes
from PDL1PredictorGUI.window.tumor import new_tumor
from slicerhost.user import click

# Speaks as `pdl1 predict` does, waits for a file (for one run only, if it says "one"), and hands over a folder that
# `pdl1 predict` wrote.
WORKER = """
import json, pathlib, shutil, sys, time
done = pathlib.Path(sys.argv[1])
step = {"type": "progress", "stage": "network", "fraction": 0.4, "message": "running the network", "elapsed_s": 0.1}
print(json.dumps(step), flush=True)
print("a line for the log", flush=True)
while not done.exists():
    time.sleep(0.01)
if done.read_text() == "one":
    done.unlink()
shutil.copytree(sys.argv[2], "result")
"""

# The same for `pdl1 predict --cohort`: every case of the table gets that folder.
BATCH_WORKER = """
import csv, json, pathlib, shutil, sys, time
flag, source, out = map(pathlib.Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)
(out / "batch.json").write_text("{}")
with open("cases.csv", encoding="utf-8", newline="") as file:
    names = [row["case"] for row in csv.DictReader(file)]
for number, name in enumerate(names):
    step = {"type": "progress", "stage": "case", "fraction": (number + 0.4) / len(names), "message": name}
    print(json.dumps(step), flush=True)
    while not flag.exists():
        time.sleep(0.01)
    if flag.read_text() == "one":
        flag.unlink()
    shutil.copytree(source, out / name)
    done = {"type": "case", "case": name, "folder": str(out / name), "reason": None, "reused": False}
    print(json.dumps(done), flush=True)
"""


def judged(row, call, *codes, **changes):
    """An endpoint's entry of `result.json` with another verdict: answered, or not (`none`) for these reasons."""
    status = "not_answered" if call == "none" else "answered"
    reasons = [{"code": code, "text": f"A sentence about {code}."} for code in codes]
    return row | {"verdict": {"status": status, "call": call, "reasons": reasons}} | changes


def leftovers():
    return list(Path(slicer.app.temporaryPath).glob(f"{predictor.FOLDER_PREFIX}*"))


def start(window):
    """Presses Predict and waits until the process runs; gives its family."""
    click(window.ui.predictButton)
    slicerhost.wait_until(lambda: window.ui.progressBar.value == 40 and "log" in window.ui.logEdit.plainText, 20)
    family = processes.family(window.predict.prediction._job.process_id)
    assert family
    assert leftovers()
    return family


def wait_for_end(window, seconds=20):
    slicerhost.wait_until(lambda: window.predict.state.name == "IDLE", seconds)


def second_tumor(window, phantom):
    parameters = window.shared.parameters
    other = new_tumor(parameters.volume, parameters.segmentation)[1]
    bridge.put_segment(parameters.segmentation, other, phantom.case.tumor, parameters.volume)
    return other


def text_of(combo):
    return combo.currentText

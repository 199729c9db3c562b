"""Answering loads no torch before a network is run by it."""

import subprocess
import sys

PAGES = ("prediction", "models.load", "models.stack", "models.manifest", "report.kinds")


def test_the_pages_of_a_prediction_load_neither_torch_nor_onnxruntime():
    code = "import sys\n" + "".join(f"import PDL1PredictorLib.{page}\n" for page in PAGES)
    code += "print([name for name in ('torch', 'onnxruntime', 'sklearn', 'safetensors') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

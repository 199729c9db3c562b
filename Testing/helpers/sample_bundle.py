"""The files of a small bundle, of every kind that may be listed."""

import numpy as np
from safetensors.numpy import save

FILES = {
    "network.safetensors": save({"weight": np.arange(6, dtype=np.float32)}),
    "classifiers/PDL1.onnx": b"\x08\x08:\x02ab",
    "MODEL_CARD.md": "# Lung – für die Forschung\n".encode(),
    "reference.csv": b"name,value\na,1\n",
    "reference.json": b'{"mean": [1.5]}',
    "curve.png": b"\x89PNG\r\n\x1a\n....",
}
MANIFEST = {"name": "phantom", "endpoints": {"PDL1": {"slope": 1.25}}}

"""How a user turns a pickled classifier into ONNX, in an environment of the user's own: a script that is shown."""

import shlex

from PDL1PredictorLib.core.errors import printable
from PDL1PredictorLib.learning.importing.pickles import PickleLook

SCRIPT = """\
# convert.py FILE.pkl ...: writes FILE.onnx beside each. Reading a pickle can run code:
# only for files whose source you trust, in an environment made for this alone.
import sys
from pathlib import Path

import joblib
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

for name in sys.argv[1:]:
    model = plain = joblib.load(name)
    n = int(model.n_features_in_)
    if type(model).__name__ == "LinearDiscriminantAnalysis":  # skl2onnx gets its probabilities wrong
        plain = LogisticRegression()
        plain.classes_, plain.n_features_in_ = model.classes_, n
        plain.coef_, plain.intercept_ = model.coef_, model.intercept_
    inputs = [("inputs", FloatTensorType([None, n]))]
    made = convert_sklearn(plain, initial_types=inputs, options={id(plain): {"zipmap": False}})
    Path(name).with_suffix(".onnx").write_bytes(made.SerializeToString())
    print(name, "classes", list(model.classes_), "inputs", list(getattr(model, "feature_names_in_", range(n))))
"""
_OLD = ("0.24", "1.0", "1.1")
_OLD_PACKAGES = ("numpy<2", "skl2onnx==1.13", "onnx==1.13.1", "protobuf<4")  # together with scikit-learn 1.0.2


def how_to_convert(looks: dict[str, PickleLook]) -> str:
    """What to type, and the script; empty where no pickle looks like a classifier.

    Args:
        looks: What was told of each pickle, by its name.
    """
    sound = {name: look for name, look in looks.items() if look.is_classifier}
    if not sound:
        return ""
    versions = sorted({look.version for look in sound.values()})
    lines = ["To convert a pickle whose source you trust, in an environment of your own:"]
    for version in versions:
        python = "python3.10" if version.startswith(_OLD) else "python3"
        lines += [
            f"  {python} -m venv convert && convert/bin/pip install {' '.join(_packages(version))}",
        ]
    first = shlex.quote(printable(next(iter(sound))))
    return "\n".join([*lines, f"  convert/bin/python convert.py {first} ...", "with this as convert.py:", "", SCRIPT])


def _packages(version: str) -> list[str]:
    found = [f"scikit-learn=={version}" if _is_plain(version) else "scikit-learn"]
    found += _OLD_PACKAGES if version.startswith(_OLD) else ("skl2onnx",)
    return [f"'{name}'" for name in found]


def _is_plain(version: str) -> bool:
    """A version out of a file stands in a line that is typed: digits and points alone."""
    return 0 < len(version) <= 20 and version.isascii() and version.replace(".", "").isalnum()

"""The Python packages that an evaluation or a training needs besides those of a prediction."""

from PDL1PredictorGUI.setup.packages import TORCH, Package

EVALUATION = (
    Package("matplotlib", "3.9", 70),
    Package("onnx", "1.17", 32),
    Package("pyarrow", "17", 168),
    Package("safetensors", "0.4.5", 2),
    Package("scikit-learn", "1.6", 52),
    Package("skl2onnx", "1.18", 3),
)
#: The extra `train` of pyproject.toml.
TRAINING = (*EVALUATION, Package("filelock", "3.16", 1), TORCH)

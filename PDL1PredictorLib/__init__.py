"""PDL1Predictor library: from a chest CT and a tumor contour to predicted biomarkers, with their uncertainty.

Research use only. Importing this package is light: torch, SimpleITK and the rest load where they are used.

    import PDL1PredictorLib as pdl1

    case = pdl1.read_case("ct.nii.gz", "tumor.nii.gz")
    model = pdl1.load_model()
    result = pdl1.predict(case, model)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PDL1PredictorLib.cohort.table import read_cohort
    from PDL1PredictorLib.face import features, load_model, predict, read_case
    from PDL1PredictorLib.study.evaluation.notebook import evaluate

__version__ = "0.1.0"

RESEARCH_USE_ONLY = (
    "Research use only. Not a medical device: it must not guide diagnosis or treatment and does not replace a biopsy."
)

__all__ = [
    "RESEARCH_USE_ONLY",
    "__version__",
    "evaluate",
    "features",
    "load_model",
    "predict",
    "read_case",
    "read_cohort",
]

_PAGES = {  # what the package itself offers, and the page that is loaded when it is first asked for
    "evaluate": "PDL1PredictorLib.study.evaluation.notebook",
    "features": "PDL1PredictorLib.face",
    "load_model": "PDL1PredictorLib.face",
    "predict": "PDL1PredictorLib.face",
    "read_case": "PDL1PredictorLib.face",
    "read_cohort": "PDL1PredictorLib.cohort.table",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and that no other name is there

    def __getattr__(name: str) -> object:
        """The functions of the face; each loads what it needs when it is first asked for."""
        if name not in _PAGES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_PAGES[name]), name)


def __dir__() -> list[str]:
    """The names of the face too, though they are not loaded yet."""
    return sorted({*globals(), *__all__})

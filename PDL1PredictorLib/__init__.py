"""PDL1Predictor library: from a chest CT and a tumor contour to predicted biomarkers, with their uncertainty.

Research use only. Importing this package is light: torch, SimpleITK and the rest load where they are used.
"""

__version__ = "0.1.0"

RESEARCH_USE_ONLY = (
    "Research use only. Not a medical device: it must not guide diagnosis or treatment and does not replace a biopsy."
)

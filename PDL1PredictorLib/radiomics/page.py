"""docs/features.md from the table of features: `python -m PDL1PredictorLib.radiomics.page docs/features.md`."""

import sys
from pathlib import Path

from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.radiomics.settings import LOG_MARGIN_SIGMAS, PRESETS, WAVELET_MARGIN_VOXELS, FeatureSettings
from PDL1PredictorLib.radiomics.table import FAMILIES, features_of

_IN_WORDS = {
    "shape": "Of the region alone: its surface mesh (marching cubes) and the spread of its voxels.",
    "firstorder": "Of the intensities, wherever they lie.",
    "glcm": "Gray level co-occurrence matrix: which gray levels are neighbors. Mean over 13 directions.",
    "glrlm": "Gray level run length matrix: voxels of one gray level in a row. Mean over 13 directions.",
    "glszm": "Gray level size zone matrix: connected voxels of one gray level (26 neighbors).",
    "gldm": "Gray level dependence matrix: how many of 26 neighbors share a voxel's gray level.",
    "ngtdm": "Neighborhood gray tone difference matrix: how far a voxel lies from the mean of its neighbors.",
}


def features_page() -> str:
    """The Markdown of docs/features.md."""
    return f"""# Radiomic features

Written from `radiomics/table.py` by `python -m PDL1PredictorLib.radiomics.page docs/features.md`. Do not edit.

A feature's name is `region_image_class_feature`, such as `ring_wavelet-LLH_glcm_Contrast`: region {_either(REGIONS)},
image `original`, `wavelet-XXX` (first letter along x, last along z; L low pass, H high pass) or `log-sigma-S-mm-3D`.
Names and definitions are those of pyradiomics 3.0.1. The IBSI code is given where the Image Biomarker Standardisation
Initiative describes the same quantity; its value may differ, because the two discretize gray levels differently.
`pdl1 ibsi --reference FOLDER` measures as the initiative does and holds every value against its reference.

Gray levels: bins of a fixed width that start at a multiple of it, or a fixed number of bins between the least and the
greatest intensity of the region. Filters act on the resampled CT with at least {WAVELET_MARGIN_VOXELS} voxels (wavelet)
or {LOG_MARGIN_SIGMAS:g} sigma (Laplacian of Gaussian) around the regions. A value that is not defined is NaN.

## Presets

| preset | features per region | bins | classes | wavelet | Laplacian of Gaussian, mm |
|---|---|---|---|---|---|
{chr(10).join(_preset_row(settings) for settings in PRESETS.values())}

{chr(10).join(_section(family) for family in FAMILIES)}"""


def _either(names: dict[str, str]) -> str:
    return " or ".join(f"`{name}` ({words})" for name, words in names.items())


def _preset_row(settings: FeatureSettings) -> str:
    bins = f"{settings.bin_width:g} HU wide" if settings.bin_width else f"{settings.bin_count} bins"
    classes = "all" if settings.classes == tuple(FAMILIES) else ", ".join(settings.classes)
    sigmas = ", ".join(f"{sigma:g}" for sigma in settings.log_sigma_mm) or "-"
    wavelet = settings.wavelet or "-"
    return f"| `{settings.name}` | {settings.feature_count()} | {bins} | {classes} | {wavelet} | {sigmas} |"


def _section(family: str) -> str:
    rows = [
        f"| {feature.name} | {feature.ibsi or '-'} | {feature.unit or '-'} | {feature.meaning} |"
        for feature in features_of(family)
    ]
    return f"""## {FAMILIES[family]} (`{family}`)

{_IN_WORDS[family]}

| feature | IBSI | unit on CT | meaning |
|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    """Write the page to the path that is given."""
    if len(sys.argv) != 2:
        sys.exit("Say where to write the page, such as docs/features.md.")
    Path(sys.argv[1]).write_text(features_page(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What is measured: gray levels, feature classes and filtered images; frozen, and carried whole into the report."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.radiomics.table import FAMILIES, features_of

WAVELET_MARGIN_VOXELS = 10  # the periodic end of the transform must not reach a region, whatever its parity
LOG_MARGIN_SIGMAS = 12.0  # the recursive Gaussian of ITK still answers to what lies this far away
_BIORTHOGONAL = (
    *("1.1", "1.3", "1.5", "2.2", "2.4", "2.6", "2.8"),
    *("3.1", "3.3", "3.5", "3.7", "3.9", "4.4", "5.5", "6.8"),
)
#: The discrete wavelets by PyWavelets' names, which has to be there only when an image is filtered
WAVELETS = frozenset(
    (
        *("haar", "dmey"),
        *(f"db{order}" for order in range(1, 39)),
        *(f"sym{order}" for order in range(2, 21)),
        *(f"coif{order}" for order in range(1, 18)),
        *(f"{family}{orders}" for family in ("bior", "rbio") for orders in _BIORTHOGONAL),
    )
)
WAVELET_BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")


@dataclass(frozen=True)
class FeatureSettings:
    """Which features are measured, and how.

    Attributes:
        name: How this choice is called; letters, digits, `-` and `_`.
        bin_width: Width of a gray level in HU, 0.1 to 1000; bins start at a multiple of it. None with `bin_count`.
        bin_count: Number of gray levels, 2 to 512, from the region's least to its greatest intensity. None
            with `bin_width`.
        classes: Feature classes, names as in pyradiomics, each once. "shape" is measured on the region alone.
        original: Measure the unfiltered image.
        wavelet: Name of the discrete wavelet whose 8 undecimated bands are measured; None for no wavelet.
        log_sigma_mm: Widths of the Laplacian of Gaussian filters, in mm, rising, each 0.5 to 10.

    Raises:
        InputError: A value is not one of these.
    """

    name: str
    bin_width: float | None = 25.0
    bin_count: int | None = None
    classes: tuple[str, ...] = tuple(FAMILIES)
    original: bool = True
    wavelet: str | None = "coif1"
    log_sigma_mm: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name and self.name.replace("-", "").replace("_", "").isalnum()):
            raise InputError(f"The name must be made of letters, digits, - and _, got {self.name!r}.")
        self._check_gray_levels()
        self._check_classes()
        self._check_filters()
        if not self.feature_names():
            raise InputError(
                f"The feature settings {self.name!r} measure nothing. "
                "Add the class shape, the original image or a filter."
            )

    def _check_gray_levels(self) -> None:
        if (self.bin_width is None) == (self.bin_count is None):
            raise InputError(
                "Give either bin_width or bin_count and leave the other None, "
                f"got {self.bin_width!r} and {self.bin_count!r}."
            )
        if self.bin_width is not None:
            object.__setattr__(self, "bin_width", _number("bin_width", self.bin_width, 0.1, 1000))
        count = self.bin_count
        if count is not None and not (type(count) is int and 2 <= count <= 512):
            raise InputError(f"bin_count must be a whole number from 2 to 512, got {count!r}.")

    def _check_classes(self) -> None:
        classes = _sequence("classes", self.classes)
        unknown = [name for name in classes if name not in FAMILIES]
        if unknown or len(set(classes)) != len(classes):
            raise InputError(f"classes must be some of {', '.join(FAMILIES)}, each once, got {self.classes!r}.")
        # one order for equal choices, so that equal settings are equal values
        object.__setattr__(self, "classes", tuple(name for name in FAMILIES if name in classes))

    def _check_filters(self) -> None:
        if not isinstance(self.original, bool):
            raise InputError(f"original must be true or false, got {self.original!r}.")
        if self.wavelet is not None and not (isinstance(self.wavelet, str) and self.wavelet in WAVELETS):
            raise InputError(
                f"Wavelet {self.wavelet!r} is not known. Choose a discrete wavelet such as coif1, haar or db2, or None."
            )
        sigmas = tuple(
            _number("log_sigma_mm", sigma, 0.5, 10) for sigma in _sequence("log_sigma_mm", self.log_sigma_mm)
        )
        if list(sigmas) != sorted(set(sigmas)):
            raise InputError(f"log_sigma_mm must rise, each value once, got {self.log_sigma_mm!r}.")
        object.__setattr__(self, "log_sigma_mm", sigmas)

    @property
    def margin_mm(self) -> float:
        """How much image the filters need around the regions on a 1 mm grid, in mm."""
        return self.margin_at(1.0)

    def margin_at(self, spacing_mm: float) -> float:
        """How much image the filters need around the regions, in mm.

        The wavelet reaches a number of voxels, the Laplacian of Gaussian a number of millimeters.

        Args:
            spacing_mm: Edge of the voxels on which everything is measured, in mm.
        """
        voxels = 1
        if self.wavelet is not None:
            voxels = max(WAVELET_MARGIN_VOXELS, _filter_length(self.wavelet) + 4)
        return max(voxels * spacing_mm, LOG_MARGIN_SIGMAS * max(self.log_sigma_mm, default=0.0))

    def image_names(self) -> tuple[str, ...]:
        """The images that are measured, as pyradiomics calls them: `original`, `wavelet-LLH`, `log-sigma-1-0-mm-3D`."""
        names = ["original"] if self.original else []
        if self.wavelet is not None:
            names += [f"wavelet-{band}" for band in WAVELET_BANDS]
        names += [log_image_name(sigma_mm) for sigma_mm in self.log_sigma_mm]
        return tuple(names)

    def feature_names(self, region: str | None = None) -> tuple[str, ...]:
        """The names of all features, computed without any image, in the order of every feature vector.

        Args:
            region: "tumor" or "ring"; None for both, the tumor first.

        Raises:
            InputError: There is no such region.
        """
        if region is None:
            return tuple(name for each in REGIONS for name in self.feature_names(each))
        if region not in REGIONS:
            raise InputError(f"Region {region!r} is not known. Known regions: {', '.join(REGIONS)}.")
        names = []
        if "shape" in self.classes:
            names += [f"{region}_original_shape_{feature.name}" for feature in features_of("shape")]
        for image in self.image_names():
            for family in self.intensity_classes():
                names += [f"{region}_{image}_{family}_{feature.name}" for feature in features_of(family)]
        return tuple(names)

    def feature_count(self) -> int:
        """The number of features of one region."""
        return len(self.feature_names("tumor"))

    def intensity_classes(self) -> tuple[str, ...]:
        """The classes that are measured on every image: all but shape."""
        return tuple(name for name in self.classes if name != "shape")

    def limited_to(self, names: Iterable[str]) -> Self | None:
        """Settings that measure these features, with the same values, and as few others as can be; None for none.

        Args:
            names: Some of `feature_names`.
        """
        parts = [name.split("_", 3) for name in names]  # region, image, class, feature
        measured = {(image, family) for _, image, family, _ in parts}
        if not measured:
            return None
        images = {image for image, family in measured if family != "shape"}
        return replace(
            self,
            classes=tuple({family: None for _, family in measured}),
            original="original" in images,
            wavelet=self.wavelet if any(image.startswith("wavelet") for image in images) else None,
            log_sigma_mm=tuple(sigma for sigma in self.log_sigma_mm if log_image_name(sigma) in images),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        values["classes"] = list(self.classes)
        values["log_sigma_mm"] = list(self.log_sigma_mm)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            InputError: The name is missing, a name is not a setting, or a value is out of its bounds.
        """
        known = [field.name for field in fields(cls)]
        if not isinstance(values, dict) or "name" not in values:
            raise InputError(f"Feature settings must be an object with a name and some of: {', '.join(known[1:])}.")
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"Unknown feature settings: {', '.join(unknown)}. Known: {', '.join(known)}.")
        return cls(**values)


def log_image_name(sigma_mm: float) -> str:
    """What pyradiomics calls the Laplacian of Gaussian image of this width, such as `log-sigma-1-0-mm-3D`."""
    return f"log-sigma-{str(float(sigma_mm)).replace('.', '-')}-mm-3D"


def _number(what: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{what} must be a number from {low} to {high}, got {value!r}.")
    if not low <= value <= high:
        raise InputError(f"{what} must be a number from {low} to {high}, got {value!r}.")
    return float(value)


def _sequence(what: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise InputError(f"{what} must be a list, got {value!r}.")
    return tuple(value)


def _filter_length(wavelet: str) -> int:
    pywt = require_module("pywt", "Wavelet features need the package PyWavelets: install it.")
    return int(pywt.Wavelet(wavelet).dec_len)


PRESETS: dict[str, FeatureSettings] = {
    settings.name: settings
    for settings in (
        # 851 features per region: 107 original and 8 x 93 wavelet (Deep-RadScore)
        FeatureSettings("deepradscore"),
        # 1316: the same and 5 x 93 Laplacian of Gaussian (PD-L1ES)
        FeatureSettings("pdl1es", log_sigma_mm=(1.0, 2.0, 3.0, 4.0, 5.0)),
        # 88: what the Complex Transformer of NSCLC Radiogenomics reads
        FeatureSettings("karim", classes=("shape", "firstorder", "glcm", "glrlm", "glszm"), wavelet=None),
    )
}


def preset(name: str) -> FeatureSettings:
    """Feature settings of a published system.

    Raises:
        InputError: There is no such preset.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise InputError(f"Feature preset {name!r} is not known. Known presets: {', '.join(PRESETS)}.") from None

"""The one table of the radiomic features: names, units, IBSI codes and what each one means.

Names and definitions are those of pyradiomics 3.0.1. An IBSI code is given where the quantity is the one that the Image
Biomarker Standardisation Initiative describes; the value may still differ, because the two discretize gray levels
differently (and kurtosis is without the 3 that IBSI subtracts).
"""

from dataclasses import dataclass

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import REGIONS


@dataclass(frozen=True)
class Feature:
    """One quantity, measured on the shape of a region or on the intensities of one image inside it.

    Attributes:
        family: Feature class, as pyradiomics calls it.
        name: Name within the class, as pyradiomics calls it.
        ibsi: Code of the IBSI reference manual; empty where it describes no such quantity.
        unit: Unit on a CT in Hounsfield units; empty for a pure number.
        meaning: One line for people.
    """

    family: str
    name: str
    ibsi: str
    unit: str
    meaning: str


FAMILIES = {  # feature class: words for people; this order is the order of every feature vector
    "shape": "shape",
    "firstorder": "first order",
    "glcm": "GLCM",
    "glrlm": "GLRLM",
    "glszm": "GLSZM",
    "gldm": "GLDM",
    "ngtdm": "NGTDM",
}
TEXTURES = tuple(family for family in FAMILIES if family not in ("shape", "firstorder"))  # of which maps are made

_ROWS = """
shape | Elongation | Q3CK | | second over first axis length; 1 is round in that plane, 0 a line
shape | Flatness | N17B | | shortest over longest axis length; 1 is a ball, 0 is flat
shape | LeastAxisLength | 7J51 | mm | length of the shortest axis of the ellipsoid with the same spread
shape | MajorAxisLength | TDIC | mm | length of the longest axis of the ellipsoid with the same spread
shape | Maximum2DDiameterColumn | | mm | greatest surface distance within one coronal plane
shape | Maximum2DDiameterRow | | mm | greatest surface distance within one sagittal plane
shape | Maximum2DDiameterSlice | | mm | greatest surface distance within one axial slice
shape | Maximum3DDiameter | L0JK | mm | greatest distance between two points of the surface
shape | MeshVolume | RNU0 | mm^3 | volume inside the surface mesh
shape | MinorAxisLength | P9VJ | mm | length of the second axis of the ellipsoid with the same spread
shape | Sphericity | QCFX | | surface of the ball of equal volume over the surface; 1 is a ball
shape | SurfaceArea | C0JK | mm^2 | area of the surface mesh
shape | SurfaceVolumeRatio | 2PR5 | mm^-1 | surface area over volume; lower is more compact
shape | VoxelVolume | YEKZ | mm^3 | number of voxels times the volume of one
firstorder | 10Percentile | QG58 | HU | intensity below which a tenth of the voxels lies
firstorder | 90Percentile | 8DWT | HU | intensity below which nine tenths of the voxels lie
firstorder | Energy | N8CA | HU^2 | sum of the squared intensities; grows with the volume
firstorder | Entropy | TLU2 | bit | disorder of the intensity histogram
firstorder | InterquartileRange | SALO | HU | width of the middle half of the intensities
firstorder | Kurtosis | IPH6 | | weight of the histogram's tails; 3 for a normal distribution
firstorder | Maximum | 84IY | HU | greatest intensity
firstorder | MeanAbsoluteDeviation | 4FUA | HU | mean distance of the intensities from their mean
firstorder | Mean | Q4LE | HU | mean intensity
firstorder | Median | Y12H | HU | middle intensity
firstorder | Minimum | 1GSF | HU | least intensity
firstorder | Range | 2OJQ | HU | greatest less least intensity
firstorder | RobustMeanAbsoluteDeviation | 1128 | HU | mean distance from the mean, both within the middle 80 %
firstorder | RootMeanSquared | 5ZWQ | HU | root of the mean squared intensity
firstorder | Skewness | KE2A | | lean of the histogram; positive with a long bright tail
firstorder | TotalEnergy | | HU^2 mm^3 | energy times the volume of a voxel
firstorder | Uniformity | BJ5W | | chance that two voxels share a histogram bin
firstorder | Variance | ECT3 | HU^2 | mean squared distance of the intensities from their mean
glcm | Autocorrelation | QWB0 | | mean product of neighboring gray levels
glcm | ClusterProminence | AE86 | | weight of extreme neighbor sums; high when the pairs lie asymmetrically
glcm | ClusterShade | 7NFM | | lean of the neighbor sums
glcm | ClusterTendency | DG8W | | spread of the neighbor sums: groups of like gray levels
glcm | Contrast | ACUI | | mean squared difference of neighboring gray levels
glcm | Correlation | NI2N | | linear dependence of neighboring gray levels
glcm | DifferenceAverage | TF7R | | mean difference of neighboring gray levels
glcm | DifferenceEntropy | NTRS | bit | disorder of the neighbor differences
glcm | DifferenceVariance | D3YU | | spread of the neighbor differences
glcm | Id | IB1Z | | local homogeneity (inverse difference)
glcm | Idm | WF0Z | | local homogeneity (inverse squared difference)
glcm | Idmn | 1QCO | | local homogeneity, squared differences normalized by the number of gray levels
glcm | Idn | NDRX | | local homogeneity, differences normalized by the number of gray levels
glcm | Imc1 | R8DG | | mutual information of neighbors, normalized, with a minus sign
glcm | Imc2 | JN9H | | mutual information of neighbors, 0 to 1
glcm | InverseVariance | E8JP | | weight of small but nonzero neighbor differences
glcm | JointAverage | 60VM | | mean gray level of the pairs
glcm | JointEnergy | 8ZQL | | dominance of a few gray level pairs
glcm | JointEntropy | TU9B | bit | disorder of the gray level pairs
glcm | MCC | | | maximal correlation coefficient: complexity of the texture, 0 to 1
glcm | MaximumProbability | GYBY | | share of the most frequent gray level pair
glcm | SumAverage | ZGXS | | mean sum of neighboring gray levels
glcm | SumEntropy | P6QZ | bit | disorder of the neighbor sums
glcm | SumSquares | UR99 | | spread of the gray levels of the pairs
glrlm | GrayLevelNonUniformity | R5YN | | dominance of a few gray levels among the runs
glrlm | GrayLevelNonUniformityNormalized | OVBL | | dominance of a few gray levels, per run
glrlm | GrayLevelVariance | 8CE5 | | spread of the runs' gray levels
glrlm | HighGrayLevelRunEmphasis | G3QZ | | weight of runs of bright voxels
glrlm | LongRunEmphasis | W4KF | | weight of long runs: coarse texture
glrlm | LongRunHighGrayLevelEmphasis | 3KUM | | weight of long bright runs
glrlm | LongRunLowGrayLevelEmphasis | IVPO | | weight of long dark runs
glrlm | LowGrayLevelRunEmphasis | V3SW | | weight of runs of dark voxels
glrlm | RunEntropy | HJ9O | bit | disorder of the runs' lengths and gray levels
glrlm | RunLengthNonUniformity | W92Y | | dominance of a few run lengths
glrlm | RunLengthNonUniformityNormalized | IC23 | | dominance of a few run lengths, per run
glrlm | RunPercentage | 9ZK5 | | runs per voxel: fine texture
glrlm | RunVariance | SXLW | | spread of the run lengths
glrlm | ShortRunEmphasis | 22OV | | weight of short runs: fine texture
glrlm | ShortRunHighGrayLevelEmphasis | GD3A | | weight of short bright runs
glrlm | ShortRunLowGrayLevelEmphasis | HTZT | | weight of short dark runs
glszm | GrayLevelNonUniformity | JNSA | | dominance of a few gray levels among the zones
glszm | GrayLevelNonUniformityNormalized | Y1RO | | dominance of a few gray levels, per zone
glszm | GrayLevelVariance | BYLV | | spread of the zones' gray levels
glszm | HighGrayLevelZoneEmphasis | 5GN9 | | weight of zones of bright voxels
glszm | LargeAreaEmphasis | 48P8 | | weight of large zones: coarse texture
glszm | LargeAreaHighGrayLevelEmphasis | J17V | | weight of large bright zones
glszm | LargeAreaLowGrayLevelEmphasis | YH51 | | weight of large dark zones
glszm | LowGrayLevelZoneEmphasis | XMSY | | weight of zones of dark voxels
glszm | SizeZoneNonUniformity | 4JP3 | | dominance of a few zone sizes
glszm | SizeZoneNonUniformityNormalized | VB3A | | dominance of a few zone sizes, per zone
glszm | SmallAreaEmphasis | 5QRC | | weight of small zones: fine texture
glszm | SmallAreaHighGrayLevelEmphasis | HW1V | | weight of small bright zones
glszm | SmallAreaLowGrayLevelEmphasis | 5RAI | | weight of small dark zones
glszm | ZoneEntropy | GU8N | bit | disorder of the zones' sizes and gray levels
glszm | ZonePercentage | P30P | | zones per voxel: fine texture
glszm | ZoneVariance | 3NSA | | spread of the zone sizes
gldm | DependenceEntropy | FCBV | bit | disorder of the dependence counts and gray levels
gldm | DependenceNonUniformity | Z87G | | dominance of a few dependence counts
gldm | DependenceNonUniformityNormalized | OKJI | | dominance of a few dependence counts, per voxel
gldm | DependenceVariance | DNX2 | | spread of the dependence counts
gldm | GrayLevelNonUniformity | FP8K | | dominance of a few gray levels
gldm | GrayLevelVariance | 1PFV | | spread of the gray levels
gldm | HighGrayLevelEmphasis | OAE7 | | weight of bright voxels
gldm | LargeDependenceEmphasis | IMOQ | | weight of voxels with many like neighbors: coarse texture
gldm | LargeDependenceHighGrayLevelEmphasis | 9QMG | | weight of bright voxels with many like neighbors
gldm | LargeDependenceLowGrayLevelEmphasis | NBZI | | weight of dark voxels with many like neighbors
gldm | LowGrayLevelEmphasis | TL9H | | weight of dark voxels
gldm | SmallDependenceEmphasis | SODN | | weight of voxels with few like neighbors: fine texture
gldm | SmallDependenceHighGrayLevelEmphasis | JA6D | | weight of bright voxels with few like neighbors
gldm | SmallDependenceLowGrayLevelEmphasis | EQ3F | | weight of dark voxels with few like neighbors
ngtdm | Busyness | NQ30 | | rapid changes between a voxel and its neighborhood
ngtdm | Coarseness | QCDE | | slow changes of intensity over space
ngtdm | Complexity | HDEZ | | many rapid changes of gray level
ngtdm | Contrast | 65HE | | range of the gray levels times their change over space
ngtdm | Strength | 1X9X | | well visible, slowly changing primitives
"""

FEATURES: tuple[Feature, ...] = tuple(
    Feature(*(cell.strip() for cell in row.split("|"))) for row in _ROWS.strip().splitlines()
)
_BY_KEY = {(feature.family, feature.name): feature for feature in FEATURES}


def features_of(family: str) -> tuple[Feature, ...]:
    """The features of one class, in the order of the table; empty for a class that is not in it."""
    return tuple(feature for feature in FEATURES if feature.family == family)


def lookup(feature_name: str) -> Feature:
    """The row of a feature.

    Args:
        feature_name: Full name, such as `ring_wavelet-LLH_glcm_Contrast`.

    Raises:
        InputError: No feature has this name.
    """
    return _parts(feature_name)[2]


def describe(feature_name: str) -> str:
    """A feature in words, such as "Contrast (GLCM) of the wavelet LLH image, peritumoral ring".

    Args:
        feature_name: Full name, such as `ring_wavelet-LLH_glcm_Contrast`.

    Raises:
        InputError: No feature has this name.
    """
    region, image, feature = _parts(feature_name)
    title = f"{feature.name} ({FAMILIES[feature.family]})"
    if feature.family == "shape":  # the shape of a region belongs to no image
        return f"{title}, {REGIONS[region]}"
    return f"{title} of the {_image_words(image)}, {REGIONS[region]}"


def _parts(feature_name: str) -> tuple[str, str, Feature]:
    parts = feature_name.split("_")
    feature = _BY_KEY.get((parts[2], parts[3])) if len(parts) == 4 else None
    if feature is None or parts[0] not in REGIONS:
        raise InputError(
            f"{feature_name!r} is no radiomic feature. "
            "Expected region_image_class_feature, such as ring_wavelet-LLH_glcm_Contrast."
        )
    return parts[0], parts[1], feature


def _image_words(image: str) -> str:
    filter_name, _, rest = image.partition("-")
    if filter_name == "wavelet":
        return f"wavelet {rest} image"
    if filter_name == "log":  # log-sigma-1-0-mm-3D
        sigma_mm = rest.removeprefix("sigma-").removesuffix("-mm-3D").replace("-", ".")
        return f"Laplacian of Gaussian image (sigma {float(sigma_mm):g} mm)"
    return f"{image} image"

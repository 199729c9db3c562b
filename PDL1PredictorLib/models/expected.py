"""What a prediction will take of time and memory, told before it starts: from the size of the case and of the model.

The rates were measured on one computer of two cores (`Testing/benchmarks/bench_expected.py`, docs/performance.md); how
much slower or faster another one is, earlier runs there tell.
"""

from dataclasses import dataclass

from PDL1PredictorLib.models.manifest import Manifest
from PDL1PredictorLib.radiomics.memory import available_bytes

START_S = 1.6  # Python, its packages, the bundle, and the pages that are written
PER_MILLION_VOXELS_S = 0.05  # reading, checking, hashing the CT
FEATURES_S = 0.2  # of one measurement of all features, whatever the size
PER_MILLION_BOX_S = 0.33  # of the box about tumor and ring, with the filters' margin
NETWORK_S = 0.10
PER_ENDPOINT_S = 0.05
VOXEL_MAP_S = 1.5
BASE_BYTES = 482e6
NETWORK_BYTES = 63e6
BYTES_PER_VOXEL = 11.5
BYTES_PER_BOX_VOXEL = 42
TORCH_START_S, TORCH_BYTES = 4.0, 500e6
OTHER_CONTOURS = 2  # inwards and outwards
MARGIN_MM = 20.0  # ring and filters about the tumor
USUAL_ML, USUAL_MM = 20.0, 40.0
SHORT_OF = 1.2  # memory is short where this many times the estimate is not free


@dataclass(frozen=True)
class CaseSize:
    """What the cost of a case follows from.

    Attributes:
        voxels: Of the CT.
        box_voxels: Of the working lattice, in the box about tumor and ring with the filters' margin.
        tumor_voxels: Of the working lattice, in the tumor.
    """

    voxels: int
    box_voxels: int
    tumor_voxels: int


@dataclass(frozen=True)
class Expected:
    """What a run will take, about.

    Attributes:
        seconds: From its start to its end.
        bytes: Memory at its peak.
    """

    seconds: float
    bytes: int

    @property
    def gigabytes(self) -> str:
        """`0.9 GB`."""
        return f"{self.bytes / 1e9:.1f} GB"


def size_of(ct_voxels: int, volume_ml: float, diameter_mm: float, spacing_mm: float = 1.0) -> CaseSize:
    """The size of a case, from what is known before it is predicted.

    Args:
        ct_voxels: Of the CT.
        volume_ml: Of the tumor.
        diameter_mm: Its longest axial diameter; the box about it is taken as a cube.
        spacing_mm: Of the working lattice.
    """
    edge = (diameter_mm + 2 * MARGIN_MM) / spacing_mm
    return CaseSize(ct_voxels, round(edge**3), round(1000 * volume_ml / spacing_mm**3))


def usual_size(ct_voxels: int) -> CaseSize:
    """The size of a case whose tumor is not known yet."""
    return size_of(ct_voxels, USUAL_ML, USUAL_MM)


def expected_run(
    size: CaseSize, manifest: Manifest, device: str = "auto", stability: bool = True, slowness: float = 1.0
) -> Expected:
    """Time and memory of one prediction, in a process of its own.

    Args:
        size: Of the case.
        manifest: Of the model.
        device: `auto` and `cpu` run the network by onnxruntime, a graphics card by torch.
        stability: Whether contours are moved, too.
        slowness: How many times longer than expected earlier runs on this computer took.
    """
    seconds = START_S + PER_MILLION_VOXELS_S * size.voxels / 1e6
    memory = BASE_BYTES + BYTES_PER_VOXEL * size.voxels
    if manifest.features is not None:
        rounds = 1 + OTHER_CONTOURS * (stability and bool(manifest.feature_mean))  # a model of the volume measures once
        seconds += rounds * (FEATURES_S + PER_MILLION_BOX_S * size.box_voxels / 1e6)
        memory += BYTES_PER_BOX_VOXEL * size.box_voxels
    if manifest.network is not None:
        seconds += NETWORK_S + PER_ENDPOINT_S * len(manifest.endpoints)
        memory += NETWORK_BYTES
        if device in ("cuda", "mps"):
            seconds, memory = seconds + TORCH_START_S, memory + TORCH_BYTES
    if manifest.voxel_maps:
        seconds += VOXEL_MAP_S * len(manifest.voxel_maps)
    return Expected(seconds * slowness, round(memory))


def memory_warning(expected: Expected, free: int | None = None) -> str:
    """Whether memory is short for a run, in a sentence; empty where it is not, or the system does not tell.

    Args:
        expected: The run.
        free: Bytes that programs can still have; None asks the system.
    """
    left = available_bytes() if free is None else free
    if left is None or left >= SHORT_OF * expected.bytes:
        return ""
    return (
        f"Memory is short: the prediction needs about {expected.gigabytes}, and {left / 1e9:.1f} GB are free. Close "
        "other programs, or crop the CT to the chest."
    )

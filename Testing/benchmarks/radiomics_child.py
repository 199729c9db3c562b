"""One measurement in a process of its own: the features of one case by one tool, in seconds, with the peak memory.

    python Testing/benchmarks/radiomics_child.py TOOL FOLDER [REPEATS]

FOLDER holds ct.nii.gz, tumor.nii.gz and ring.nii.gz; prints JSON. With `wait` as a fourth argument it says `ready` when
it is warm, and begins when a line comes.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import SimpleITK as sitk

Work = Callable[[], int]
CLASSES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


def reference_like(extractor_class: type, folder: Path, execute: Callable[..., dict], **settings: object) -> Work:
    """As users call pyradiomics: an extractor and a call per region, each of which resamples the whole CT."""
    ct = sitk.ReadImage(str(folder / "ct.nii.gz"))
    masks = [sitk.ReadImage(str(folder / f"{region}.nii.gz")) for region in ("tumor", "ring")]

    def work() -> int:
        found = 0
        for mask in masks:
            extractor = extractor_class(
                binWidth=25, resampledPixelSpacing=[1, 1, 1], interpolator="sitkBSpline", **settings
            )
            extractor.disableAllImageTypes()
            extractor.enableImageTypeByName("Original")
            extractor.enableImageTypeByName("Wavelet", customArgs={"wavelet": "coif1"})
            extractor.disableAllFeatures()
            for name in CLASSES:
                extractor.enableFeatureClassByName(name)
            values = execute(extractor, ct, mask)
            found += sum(name.split("_")[0] in ("original",) or name.startswith("wavelet") for name in values)
        return found

    return work


def baseline(folder: Path) -> Work:
    """pyradiomics 3.0.1."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.setVerbosity(60)
    return reference_like(RadiomicsFeatureExtractor, folder, lambda extractor, ct, mask: extractor.execute(ct, mask))


def flash(folder: Path) -> Work:
    """flash-radiomics, on the processor; it writes every result to a file."""
    import logging

    from flash_radiomics import RadiomicsFeatureExtractor

    logging.disable(logging.CRITICAL)

    def execute(extractor: RadiomicsFeatureExtractor, ct: sitk.Image, mask: sitk.Image) -> dict:
        with tempfile.TemporaryDirectory() as temporary:
            return extractor.execute(ct, mask, output_hdf5_path=str(Path(temporary) / "features.h5"))

    return reference_like(RadiomicsFeatureExtractor, folder, execute, backend="cpu")


def ours(folder: Path) -> Work:
    """The engine pdl1 from the CT and the tumor: resampling and the ring are part of it."""
    from PDL1PredictorLib.core.case import Case
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.imaging.case_files import ReadCase
    from PDL1PredictorLib.radiomics.extract import measure_tumors
    from PDL1PredictorLib.radiomics.rehearsal import rehearse
    from PDL1PredictorLib.radiomics.settings import preset

    case = Case(sitk.ReadImage(str(folder / "ct.nii.gz")), sitk.ReadImage(str(folder / "tumor.nii.gz")))
    read = ReadCase(case, None, ())
    rehearse()
    return lambda: len(measure_tumors(read, RegionSettings(), preset("deepradscore")).features[1])


def kernels(folder: Path) -> Work:
    """What the first extraction of a process does beforehand: compile the kernels, or load them from the cache."""
    from PDL1PredictorLib.radiomics.rehearsal import rehearse

    return lambda: rehearse() or 0


TOOLS = {"baseline": baseline, "flash": flash, "ours": ours, "kernels": kernels}


def peak_mb() -> float:
    """Greatest memory that the process has held."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells on Linux begins with the memory of the process that started this one
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure."""
    work = TOOLS[sys.argv[1]](Path(sys.argv[2]))
    if len(sys.argv) > 4:
        work()
        print("ready", flush=True)
        sys.stdin.readline()
    seconds, processor, found = [], [], 0
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        started, used = perf_counter(), process_time()
        found = work()
        seconds.append(perf_counter() - started)
        processor.append(process_time() - used)
    print(
        json.dumps(
            {
                "seconds": statistics.median(seconds),
                "processor_s": statistics.median(processor),
                "peak_mb": peak_mb(),
                "features": found,
            }
        )
    )


if __name__ == "__main__":
    main()

"""Reads what it is told to, a JSON line a case, and says what came of it: a process that may be killed.

    {"kind": "ct" | "mask" | "bundle", "path": ..., "ct": ...}  ->  {"outcome": ..., "text": ..., "digest": ..., ...}

Outcomes: `read` with a digest of voxels and geometry (or of the bundle's answers), `refused` by a PDL1Error, `memory`
where reading asked for more than is allowed, `traceback` for anything else.
"""

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.lesions import choose_tumors
from PDL1PredictorLib.imaging.read import read_ct, read_mask

MEMORY_BYTES = 2 << 30  # beyond what the packages need that are loaded already


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        job = json.loads(line)
        if job["kind"] == "bundle":
            _model_packages()
        _limit_memory()
        started = time.process_time()
        answer = _tried(job)
        answer["cpu_s"] = time.process_time() - started
        print("ANSWER " + json.dumps(answer), flush=True)


def _tried(job: dict[str, str]) -> dict[str, Any]:
    try:
        return {"outcome": "read", **_read(job)}
    except PDL1Error as error:
        outcome = "memory" if any(map(_is_of_memory, _chain(error))) else "refused"
        return {"outcome": outcome, "text": str(error), "error": type(error).__name__}
    except MemoryError:
        return {"outcome": "memory", "text": traceback.format_exc()}
    except BaseException:
        return {"outcome": "traceback", "text": traceback.format_exc()}


def _read(job: dict[str, str]) -> dict[str, Any]:
    path = Path(job["path"])
    if job["kind"] == "bundle":
        return {"digest": _answers(path)}
    if job["kind"] == "ct":
        loaded = read_ct(path)
        return {"digest": _digest(loaded.image), **_told(loaded.warnings)}
    loaded = read_mask(path, _ct(job["ct"]), segment=job.get("segment"))
    tumors = choose_tumors(loaded.image)
    return {
        "digest": _digest(loaded.image),
        "volume_ml": _volume_ml(tumors.chosen[0][1]),
        **_told((*loaded.warnings, *tumors.warnings)),
    }


def _told(warnings: tuple[CaseWarning, ...]) -> dict[str, list[str]]:
    return {"warnings": [warning.code for warning in warnings], "said": [warning.text for warning in warnings]}


def _volume_ml(mask: sitk.Image) -> float:
    voxels = np.count_nonzero(sitk.GetArrayViewFromImage(mask))
    return float(voxels * np.prod(mask.GetSpacing()) / 1000)


@cache
def _ct(path: str) -> sitk.Image:
    return read_ct(path).image


def _digest(image: sitk.Image) -> str:
    values = np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).astype(np.float64)
    grid = np.round([*image.GetSpacing(), *image.GetOrigin(), *image.GetDirection()], 6) + 0.0
    return hashlib.sha256(values.tobytes() + grid.tobytes() + repr(values.shape).encode()).hexdigest()


def _answers(path: Path) -> str:
    """Of a bundle: its answers for inputs that are all at the training mean, and all its features."""
    load_predictor, given = _model_packages()
    model = load_predictor(path)
    manifest = model.manifest
    features = dict.fromkeys(manifest.features.feature_names(), 15.0)
    deep = np.linspace(-1, 1, manifest.network.n_deep)
    inputs = model.inputs(given(features, None, 10.0), deep)
    answers = [model.answer_for(one, inputs).probability for one in manifest.endpoints]
    if not np.isfinite(answers).all():
        raise AssertionError(f"answers that are no numbers: {answers}")
    return hashlib.sha256(repr([round(value, 9) for value in answers]).encode()).hexdigest()


@cache
def _model_packages() -> tuple[Any, Any]:
    from PDL1PredictorLib.models.load import load_predictor
    from PDL1PredictorLib.models.predictor import Given

    return load_predictor, Given


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "allocate memory" in text or "bad_alloc" in text


@cache
def _limit_memory() -> None:
    """Where the system has such limits; once, when everything is loaded."""
    try:
        import resource
    except ImportError:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES, -1))


if __name__ == "__main__":
    main()

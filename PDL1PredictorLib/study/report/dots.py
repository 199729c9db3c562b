"""The dots of the contributions: an input's value and effect for every case, which a study's JSON is too small for."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.numpy

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.models.tensors import read_tensors
from PDL1PredictorLib.study.outcome import EndpointOutcome, StudyOutcome
from PDL1PredictorLib.study.report.measures import contribution_numbers

FILE = "contributions.safetensors"
SHOWN_INPUTS = 24  # of the lead model, the strongest; more cannot be read
MAX_BYTES = 256 * 2**20
FARTHEST = 6e4  # that 16 bits hold


class Dots(NamedTuple):
    """Of one endpoint: a row a case, a column an input of its lead model, those of `strongest` in its order.

    Attributes:
        inputs: Standardized values, (n, k), 16-bit floating point.
        effects: Shapley values or integrated gradients, in log-odds or in the endpoint's unit, (n, k), likewise.
    """

    inputs: np.ndarray
    effects: np.ndarray


def strongest(mean_absolute: Mapping[str, float]) -> list[str]:
    """The inputs that are drawn: by their mean absolute effect, equal ones by name."""
    return sorted(mean_absolute, key=lambda name: (-mean_absolute[name], name))[:SHOWN_INPUTS]


def dots_of(outcome: StudyOutcome) -> dict[str, Dots]:
    """Those of every endpoint whose lead model was asked for its contributions."""
    found = {key: _dots(one) for key, one in outcome.endpoints.items()}
    return {key: dots for key, dots in found.items() if dots is not None}


def _dots(found: EndpointOutcome) -> Dots | None:
    mean_absolute = contribution_numbers(found)
    if not mean_absolute or found.contributions is None:
        return None
    columns = [found.input_names.index(name) for name in strongest(mean_absolute)]
    both = (found.inputs[:, columns], found.contributions[:, columns])
    return Dots(*(np.clip(values, -FARTHEST, FARTHEST).astype(np.float16, order="C") for values in both))


def write_dots(dots: Mapping[str, Dots], folder: Path) -> None:
    """Write `contributions.safetensors`, where there is any: `KEY.inputs` and `KEY.effects` of each endpoint."""
    if dots:
        arrays = {f"{key}.{name}": values for key, one in dots.items() for name, values in one._asdict().items()}
        (folder / FILE).write_bytes(safetensors.numpy.save(arrays))


def read_dots(folder: Path) -> dict[str, Dots]:
    """What `write_dots` left in a folder; nothing where the file is not there.

    Raises:
        InputError: The file is damaged, or cannot be read.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES // 2**20} MB")
        arrays = read_tensors(path.read_bytes())
        keys = {name.rpartition(".")[0] for name in arrays}
        found = {key: Dots(arrays[f"{key}.inputs"], arrays[f"{key}.effects"]) for key in sorted(keys)}
        if any(one.inputs.ndim != 2 or one.inputs.shape != one.effects.shape for one in found.values()):
            raise ValueError("inputs and effects are not of the same cases and inputs")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} is damaged: {error}. Remove it: the report is made without the contributions."
        ) from error
    return found

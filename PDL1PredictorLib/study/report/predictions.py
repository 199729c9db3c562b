"""Every answer of a study as rows of a table, by kind of endpoint."""

import numpy as np

from PDL1PredictorLib.study.outcome import EndpointOutcome

BINARY_COLUMNS = ("probability", "positive", "prediction_set")
NUMBER_COLUMNS = ("value", "low", "high")
SETS = {(True, False): "negative", (False, True): "positive", (True, True): "both", (False, False): "none"}


def binary_rows(found: EndpointOutcome, title: str) -> list[tuple[object, ...]]:
    """Label and `BINARY_COLUMNS` of every case; the prediction set stands with the lead model, whose it is."""
    model = found.binary_models()[title]
    return [
        (int(label), repr(float(p)), int(called), _set(found, row) if title == found.lead else "")
        for row, (label, p, called) in enumerate(zip(found.labels, model.probability, model.positive, strict=True))
    ]


def number_rows(found: EndpointOutcome, title: str) -> list[tuple[object, ...]]:
    """True value and `NUMBER_COLUMNS` of every case."""
    model = found.number_models()[title]
    columns = (found.labels, model.value, model.low, model.high)
    return [tuple(repr(float(number)) for number in row) for row in zip(*columns, strict=True)]


def _set(found: EndpointOutcome, row: int) -> str:
    negative, positive = np.asarray(found.prediction_sets[row], dtype=bool).tolist()
    return SETS[negative, positive]

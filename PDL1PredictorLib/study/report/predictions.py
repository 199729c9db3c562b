"""Every answer of a study as rows of a table, by kind of endpoint."""

import numpy as np

from PDL1PredictorLib.study.outcome import EndpointOutcome

BINARY_COLUMNS = ("probability", "positive", "called", "prediction_set", "score", "fold")
NUMBER_COLUMNS = ("value", "low", "high", "score", "fold")
SETS = {(True, False): "negative", (False, True): "positive", (True, True): "both", (False, False): "none"}


def binary_rows(found: EndpointOutcome, title: str) -> list[tuple[object, ...]]:
    """Label and `BINARY_COLUMNS` of every case, of the first repetition; the prediction set is the lead model's."""
    model = found.binary_models()[title]
    answers = zip(found.labels, model.probability, model.positive, model.called, strict=True)
    return [
        (
            int(label),
            repr(float(p)),
            int(positive),
            int(called),
            _set(found, row) if title == found.lead else "",
            repr(float(model.score[0, row])),
            int(found.folds[0, row]),
        )
        for row, (label, p, positive, called) in enumerate(answers)
    ]


def number_rows(found: EndpointOutcome, title: str) -> list[tuple[object, ...]]:
    """True value and `NUMBER_COLUMNS` of every case, of the first repetition."""
    model = found.number_models()[title]
    columns = (found.labels, model.value, model.low, model.high, model.score[0])
    folds = found.folds[0].tolist()
    return [(*map(repr, map(float, row)), fold) for *row, fold in zip(*columns, folds, strict=True)]


def _set(found: EndpointOutcome, row: int) -> str:
    negative, positive = np.asarray(found.prediction_sets[row], dtype=bool).tolist()
    return SETS[negative, positive]

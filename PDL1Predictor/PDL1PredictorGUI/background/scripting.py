"""What the module's logic does for scripts, without a window: a request from arguments, and a prediction that waits."""

from collections.abc import Callable, Mapping
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.predictor import Prediction, PredictRequest
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.ring import edited_ring
from PDL1PredictorGUI.scene.synthetic import is_synthetic
from PDL1PredictorGUI.setup.models import chosen_model, default_model


def model_of(ct: Any) -> str:
    """The model of a CT for which none was named: only a synthetic one has it.

    Raises:
        InputError: The CT is a real one, with the models to choose from.
    """
    found = default_model(is_synthetic(ct))
    if not found:
        from PDL1PredictorLib.resources import model_names

        text = _("Name a model for this CT, one of {names}, or the path of a bundle.")
        raise bridge.input_error(text.format(names=", ".join(model_names())))
    return found


def make_request(
    ct: Any,
    segmentation: Any,
    segment_id: str,
    model: str | None = None,
    clinical: Mapping[str, Any] | None = None,
    clinical_inputs: tuple[str, ...] | None = None,
    with_patient: bool | None = None,
    ring_segment_id: str | None = None,
    **chosen: Any,
) -> PredictRequest:
    """What a prediction starts with; see `PDL1PredictorLogic.request`.

    Raises:
        InputError: No model is named, and the CT is not synthetic.
    """
    model = model if model is not None else model_of(ct)
    if clinical_inputs is None:
        clinical_inputs = tuple(column.name for column in chosen_model(model).clinical) if clinical else ()
    return PredictRequest(
        volume=ct,
        segmentation=segmentation,
        segment_id=segment_id,
        model=model,
        clinical=clinical,
        ring_segment_id=ring_segment_id or edited_ring(segmentation, segment_id) or None,
        with_patient=bool(clinical) if with_patient is None else with_patient,
        clinical_inputs=clinical_inputs,
        **chosen,
    )


def run(
    request: PredictRequest,
    wait: bool,
    on_progress: Callable[..., None] | None,
    on_log: Callable[[str], None] | None,
    on_end: Callable[..., None] | None,
) -> Any:
    """Starts a prediction and, with `wait`, gives its result; see `PDL1PredictorLogic.predict`.

    Raises:
        PDL1Error: With what to do.
    """
    from PDL1PredictorLib.core.errors import CancelledError, PDL1Error

    prediction = Prediction(on_progress, on_log, on_end)
    prediction.start(request)
    if not wait:
        return prediction
    while prediction.wait(0.1) is None:
        slicer.app.processEvents()
    outcome = prediction.outcome
    assert outcome is not None
    if outcome.kind == "cancelled":
        raise CancelledError(outcome.text)
    if outcome.kind != "done":
        raise PDL1Error(outcome.text)
    return prediction.result

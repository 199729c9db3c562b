"""What else is true of a phantom patient: PD-L1 in percent, response, follow-up and clinical values.

They come from streams of their own and from the draw that made the PD-L1 label, so that images and the ten labels are
what they were without them.
"""

from dataclasses import dataclass

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.phantom import exact
from PDL1PredictorLib.phantom.follow_up import draw_follow_up, log_hazard
from PDL1PredictorLib.phantom.people import draw_clinical, draw_people
from PDL1PredictorLib.phantom.streams import Purpose, stream
from PDL1PredictorLib.phantom.tps import HIGH_PERCENT, draw_tps
from PDL1PredictorLib.phantom.traits import Traits, draw_uptake
from PDL1PredictorLib.phantom.truth import LATER_LAWS, is_known, log_odds

OUTCOMES = ("TPS", *LATER_LAWS, "PFS")


@dataclass(frozen=True)
class Outcomes:
    """Answers to the later questions, and what is behind them.

    Attributes:
        uptake: Of sugar; shown by the PET alone.
        probabilities: True probability of positive, by yes/no endpoint of `LATER_LAWS`.
        log_hazard: Of progression.
        labels: TPS in %, 1 or 0, or PFS in days, by endpoint; None where it is missing.
        events: Time to whether it ended in the event.
        people: Clinical values as a table has them; four in a hundred are missing.
    """

    uptake: float
    probabilities: dict[str, float]
    log_hazard: float
    labels: dict[str, float | int | None]
    events: dict[str, bool]
    people: Clinical


def draw_outcomes(seed: int, index: int, traits: Traits) -> Outcomes:
    """Draw them for a patient.

    Args:
        seed: Of the cohort, 0 or more.
        index: Of the patient, 0 or more.
        traits: The patient's own.

    Raises:
        InputError: The seed or the index is not possible.
    """
    response = stream(seed, index, Purpose.RESPONSE)
    uptake = draw_uptake(response)
    chances = {key: float(exact.expit(log_odds(key, traits, uptake))) for key in LATER_LAWS}
    answer, answer_lost = response.random(2).tolist()

    draw, lost = stream(seed, index, Purpose.LABELS).random(2).tolist()  # those of PD-L1, the first endpoint
    pdl1 = log_odds("PDL1", traits)
    score = draw_tps(pdl1, draw)
    stained = is_known(lost)
    followed = draw_follow_up(log_hazard(traits), stream(seed, index, Purpose.FOLLOW_UP))
    return Outcomes(
        uptake=uptake,
        probabilities=chances,
        log_hazard=log_hazard(traits),
        labels={
            "TPS": score if stained else None,
            "PDL1_HIGH": int(score >= HIGH_PERCENT) if stained else None,
            "RESPONSE": int(answer < chances["RESPONSE"]) if is_known(answer_lost) else None,
            "PFS": followed.days,
        },
        events={"PFS": followed.event},
        people=draw_people(
            draw_clinical(stream(seed, index, Purpose.CLINICAL)), score >= 1, stream(seed, index, Purpose.PEOPLE)
        ),
    )

"""Each kind of answer in the words, scales and files of its own; all through one lookup."""

import math
from dataclasses import replace

import pytest

from PDL1PredictorLib.core.answer_parts import Contribution, Estimate, SurvivalAt, TimeAnswer
from PDL1PredictorLib.core.endpoints import ENDPOINTS, Endpoint
from PDL1PredictorLib.core.results import BinaryAnswer, NumberAnswer
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.report.json_result import to_json
from PDL1PredictorLib.report.kinds import by_kind, read_answer, renderer, verdict
from PDL1PredictorLib.report.words import lead

TPS = NumberAnswer(
    "TPS", 34.6, (11.8, 61.2), 0.9, (Contribution("log_volume", 0.9, 8.25),), verdict=Verdict("answered", "value")
)
EGFR = BinaryAnswer(
    "EGFR", 0.106, (0.051, 0.203), 0.08, True, ("positive",), 0.9, (), verdict=Verdict("answered", "positive")
)
PFS = TimeAnswer(
    "PFS",
    (SurvivalAt(182.625, 0.81, 0.7, 0.9), SurvivalAt(365.25, 0.62, 0.48, 0.74, (0.6, 0.65))),
    0.4,
    (Contribution("log_volume", 0.9, 0.4),),
    verdict=Verdict("answered", "value"),
    model="Features",
)
NO_SKILL = refused([Reason("no_skill", "AUC 0.5."), Reason("interval_too_wide", "Too wide.")])


def test_a_number_is_said_with_its_unit_and_prediction_interval():
    told = verdict(TPS)
    assert told.headline == "PD-L1 TPS 35 % (90 % prediction interval 12 to 61 %)"
    assert (told.kind, told.short) == ("value", "35 %")
    assert told.detail == "Of 90 % of such cases the true value lies within that interval."


def test_a_number_lies_on_the_scale_of_its_endpoint():
    scale = renderer(TPS).scale(TPS)
    assert (scale.low, scale.high, scale.mark) == (0.0, 100.0, None)
    assert [name for _, name in scale.ticks] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert scale.share(34.6) == pytest.approx(0.346)


def test_a_number_without_bounds_lies_on_a_scale_around_its_interval(monkeypatch):
    free = Endpoint("FREE", "Density", "density of cells", kind="number", unit="/mm2")
    monkeypatch.setitem(__import__("PDL1PredictorLib.core.endpoints", fromlist=["_BY_KEY"])._BY_KEY, "FREE", free)
    answer = NumberAnswer("FREE", 1234.5, (1000.0, 1500.0), 0.9, (), verdict=TPS.verdict)
    scale = renderer(answer).scale(answer)
    assert scale.low < 1000 < 1500 < scale.high
    assert renderer(answer).brief(answer) == "1.23e+03 /mm2 (1e+03 to 1.5e+03 /mm2)"


def test_effects_on_a_number_are_in_its_unit():
    how = renderer(TPS).explained(TPS)
    assert (how.lowers, how.raises, how.unit) == ("lower", "higher", "percentage points")
    assert renderer(EGFR).explained(EGFR).unit == "log-odds"


def test_the_cells_of_a_table_name_what_each_kind_has():
    columns = ["verdict", "call", "reasons", "value", "low", "high", "stability", "withheld"]
    assert list(renderer(TPS).cells(TPS)) == columns
    assert list(renderer(TPS).cells(TPS).values()) == ["answered", "value", "", 34.6, 11.8, 61.2, None, None]
    known = replace(EGFR, uncertainty=(0.02, 0.3), stability=(0.1, 0.15))
    cells = list(renderer(EGFR).cells(known).values())
    assert cells[:6] == ["answered", "positive", "", 0.106, 0.02, 0.3]
    assert cells[6:] == [pytest.approx(0.05), None]
    assert renderer(TPS).brief(TPS) == "35 % (12 to 61 %)"
    assert renderer(EGFR).brief(EGFR) == "11 %, called mutant"
    outside = replace(EGFR, prediction_set=(), verdict=Verdict("answered", "undecided"))
    assert renderer(EGFR).brief(outside) == "11 %, unlike both"


def test_what_is_not_answered_keeps_its_number_apart():
    refused_ones = (replace(TPS, verdict=NO_SKILL), replace(EGFR, verdict=NO_SKILL))
    for answer, name, number in zip(refused_ones, ("value", "probability"), (34.6, 0.106), strict=True):
        cells = renderer(answer).cells(answer)
        assert (cells["verdict"], cells["call"], cells["reasons"]) == (
            "not_answered",
            "none",
            "no_skill interval_too_wide",
        )
        assert (cells[name], cells["low"], cells["high"], cells["withheld"]) == (None, None, None, number)
        assert renderer(answer).brief(answer) == "not answered: no proven skill, interval too wide"
        assert verdict(answer).detail == "AUC 0.5. Too wide."


def test_what_stands_beside_a_call_is_said_as_far_as_it_is_known():
    assert dict(renderer(EGFR).facts(EGFR)) == {"Threshold": "8 %", "95 % calibration interval": "5 to 20 %"}
    known = replace(EGFR, base_rate=0.2, sensitivity=Estimate(0.8, 0.6, 0.9), model="Volume", role="baseline")
    facts = dict(renderer(EGFR).facts(replace(known, stability=(0.1, 0.12), uncertainty=(0.02, 0.3))))
    assert facts["Sensitivity"] == "80 % (60 to 90 %)"
    assert facts["Base rate"] == "20 %"
    assert facts["95 % interval of the patient"] == "2 to 30 %"
    assert facts["Contour moved by 1 mm"] == "10 to 12 %"
    assert facts["Model"] == "Volume, a simple model that is as good"


def test_answers_of_one_kind_stand_together():
    other = replace(EGFR, endpoint="KRAS")
    assert by_kind([EGFR, TPS, other]) == [[EGFR, other], [TPS]]


def test_a_number_leads_where_there_is_no_pd_l1(with_number):
    assert lead(with_number.lesions[0]).endpoint == "TPS"


def test_what_is_written_is_read_back(with_number):
    rows = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"]
    number, binary = (read_answer(row) for row in rows)
    given = with_number.lesions[0].endpoints
    assert (number.value, number.interval, number.coverage) == (34.6, (11.8, 61.2), 0.9)
    assert math.isnan(number.contributions[1].value)
    assert binary == given[1]


def test_an_answer_of_before_there_were_kinds_is_a_yes_or_no(with_number):
    row = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"][1]
    del row["kind"]
    assert read_answer(row).kind == "binary"


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("kind", "word", ValueError, "the kind of answer 'word' is not known; this version shows binary, number, time"),
        ("kind", ["number"], ValueError, "is not known"),
        ("endpoint", "HEIGHT", ValueError, "'HEIGHT' is not known"),
        ("value", "35", TypeError, "value is '35'"),
        ("value", True, TypeError, "value is True"),
        ("value", 100.5, ValueError, "value is 100.5, which lies outside 0 to 100"),
        ("value", math.nan, ValueError, "value is nan"),
        ("interval", [60, 12], ValueError, "which falls"),
        ("interval", [12], TypeError, r"interval is \[12\]"),
        ("interval", 12, TypeError, "interval is 12"),
        ("interval", [-1, 12], ValueError, "low is -1"),
        ("coverage", 90, ValueError, "coverage is 90"),
        ("contributions", {}, TypeError, "contributions is {}"),
        ("contributions", [{"name": 1, "value": 0, "effect": 0}], TypeError, "name is 1"),
        ("contributions", [{"name": "x", "value": "0", "effect": 0}], TypeError, "value is '0'"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(with_number, name, value, error, words):
    row = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"][0]
    with pytest.raises(error, match=words):
        read_answer({**row, name: value})


@pytest.mark.parametrize("old", ["positive", "unlike", None])
def test_an_answer_of_before_there_were_verdicts_is_not_relied_on(with_number, old):
    row = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"][1]
    new = ("uncertainty", "stability", "base_rate", "sensitivity", "specificity", "model", "role")
    read = read_answer({name: value for name, value in row.items() if name not in new} | {"verdict": old})
    assert (read.verdict.status, read.verdict.codes) == ("not_answered", "not_measured")
    assert "Predict again" in read.verdict.reasons[0].text


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("verdict", 3, TypeError, "verdict is 3"),
        ("verdict", {"status": "answered", "call": "none", "reasons": []}, ValueError, "cannot have the call 'none'"),
        ("verdict", {"status": "answered", "call": "maybe", "reasons": []}, ValueError, "is no verdict"),
        ("verdict", {"status": "not_answered", "call": "none", "reasons": []}, ValueError, "needs a reason"),
        (
            "verdict",
            {"status": "not_answered", "call": "none", "reasons": [{"code": "mood", "text": "x"}]},
            ValueError,
            "'mood' is no reason",
        ),
        ("stability", [0.9, 0.1], ValueError, "stability is .*, which falls"),
        ("uncertainty", [0.1, 1.1], ValueError, "high is 1.1"),
        ("base_rate", 2, ValueError, "base_rate is 2"),
        ("sensitivity", 0.5, TypeError, "sensitivity is 0.5"),
        ("specificity", {"value": 2, "low": 0, "high": 1}, ValueError, "value is 2"),
        ("role", "king", ValueError, "role is 'king'"),
    ],
)
def test_an_entry_of_a_verdict_that_cannot_be_is_refused(with_number, name, value, error, words):
    row = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"][1]
    with pytest.raises(error, match=words):
        read_answer({**row, name: value})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("positive", 1, "positive is 1"), ("prediction_set", [1], "prediction_set is"), ("threshold", None, "threshold")],
)
def test_an_entry_of_a_yes_or_no_that_cannot_be_is_refused(with_number, name, value, words):
    row = to_json(with_number, with_patient=False)["lesions"][0]["endpoints"][1]
    with pytest.raises(TypeError, match=words):
        read_answer({**row, name: value})


def test_every_kind_that_an_answer_can_have_is_shown():
    kinds = {about.kind for about in ENDPOINTS}
    assert kinds == {TPS.kind, EGFR.kind, PFS.kind}


def test_a_time_is_said_as_chances_each_with_its_month():
    told = verdict(PFS)
    assert told.headline == "Progression-free survival: 81 % at 6 months, 62 % at 12 months"
    assert (told.kind, told.short) == ("value", "62 % at 12 months")
    show = renderer(PFS)
    assert show.brief(PFS) == "62 % at 12 months (48 to 74 %)"
    assert show.interval_name(PFS) == "95 % interval at 12 months"
    assert show.facts(PFS) == (
        ("Free of it at 6 months", "81 % (70 to 90 %)"),
        ("Free of it at 12 months", "62 % (48 to 74 %)"),
        ("Contour moved by 1 mm, 12 months", "60 to 65 %"),
        ("Hazard", "1.5 times that of the mean training case"),
        ("Model", "Features"),
    )
    assert show.sentences(PFS)[0].startswith("Chance to be free of the event: 81 % (70 to 90 %) at 6 months, 62 %")
    assert (show.explained(PFS).lowers, show.explained(PFS).raises) == ("later", "sooner")


def test_a_time_lies_between_none_and_all_and_fills_columns_of_its_own():
    scale = renderer(PFS).scale(PFS)
    assert (scale.low, scale.high, scale.value, scale.interval) == (0.0, 1.0, 0.62, (0.48, 0.74))
    cells = renderer(PFS).cells(PFS)
    assert (cells["survival"], cells["survival_6m"], cells["survival_12m"], cells["withheld"]) == (
        0.62,
        0.81,
        0.62,
        None,
    )
    withheld = renderer(PFS).cells(replace(PFS, verdict=NO_SKILL))
    assert (withheld["survival"], withheld["survival_6m"], withheld["withheld"]) == (None, None, 0.62)


def test_the_time_nearest_to_a_year_stands_for_all():
    assert PFS.main.months == 12
    assert replace(PFS, at=PFS.at[:1]).main.months == 6


def entry(answer):
    shown = renderer(answer).fields(answer)
    parts = [{"name": one.name, "value": one.value, "effect": one.effect} for one in answer.contributions]
    plain = {"kind": answer.kind, "endpoint": answer.endpoint, **shown, "verdict": answer.verdict.to_dict()}
    return {**plain, "contributions": parts}


def test_a_time_is_read_back_as_it_was():
    assert read_answer(entry(PFS)) == PFS


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("endpoint", "TPS", ValueError, "TPS is no time"),
        ("at", [], TypeError, "at is"),
        ("at", "soon", TypeError, "at is"),
        ("at", [{"days": 10, "survival": 1.2, "interval": [0, 1]}], ValueError, "survival is 1.2"),
        ("at", [{"days": -1, "survival": 0.5, "interval": [0, 1]}], ValueError, "days is -1"),
        ("at", [{"days": 1, "survival": 0.5, "interval": [0.9, 0.1]}], ValueError, "which falls"),
        ("at", [{"days": 1, "survival": 0.5, "interval": None}], TypeError, "interval is None"),
        ("log_hazard", "high", TypeError, "log_hazard is 'high'"),
    ],
)
def test_an_entry_of_a_time_that_cannot_be_is_refused(name, value, error, words):
    with pytest.raises(error, match=words):
        read_answer({**entry(PFS), name: value})

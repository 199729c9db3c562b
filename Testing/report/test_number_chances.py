"""Chances and attention of a number: told among its facts, kept in result.json, read back as they were."""

import json
from dataclasses import replace

import jsonschema

from PDL1PredictorLib.core.answer_parts import Chance
from PDL1PredictorLib.core.results import NumberAnswer
from PDL1PredictorLib.core.verdicts import Verdict
from PDL1PredictorLib.report.json_result import _endpoint, schema
from PDL1PredictorLib.report.kinds import renderer

MEDIAN = "tumor_original_firstorder_Median"
ANSWER = NumberAnswer(
    "TPS",
    35.0,
    (4.0, 71.0),
    0.9,
    (),
    verdict=Verdict("answered", "value"),
    chances=(Chance(1.0, 0.82), Chance(50.0, 0.31)),
    attention=((MEDIAN, 0.07), ("ring_original_firstorder_Mean", 0.05)),
)


def plain(answer: NumberAnswer) -> dict:
    return json.loads(json.dumps(_endpoint(answer) | {"heat_map": None, "heat": None}))


def test_chances_and_what_was_asked_most_are_facts():
    facts = dict(renderer(ANSWER).facts(ANSWER))
    assert (facts["1 % or more"], facts["50 % or more"]) == ("82 %", "31 %")
    assert facts["Asked most by the network"].startswith("Median (first order), tumor 7 %; ")
    without = replace(ANSWER, chances=(), attention=())
    assert set(facts) - set(dict(renderer(without).facts(without))) == {
        "1 % or more", "50 % or more", "Asked most by the network",
    }  # fmt: skip


def test_a_result_keeps_them_and_gives_them_back():
    row = plain(ANSWER)
    whole = schema()
    jsonschema.validate(row, {"$defs": whole["$defs"], "$ref": "#/$defs/number_answer"})
    back = renderer(ANSWER).read(row)
    assert (back.chances, back.attention) == (ANSWER.chances, ANSWER.attention)
    del row["chances"], row["attention"]  # a result of an earlier version
    assert (renderer(ANSWER).read(row).chances, renderer(ANSWER).read(row).attention) == ((), ())

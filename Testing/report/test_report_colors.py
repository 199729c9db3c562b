"""The colors of answers and messages: told apart in every color vision, and words on them can be read.

Dichromats are simulated by Machado et al. 2009, doi 10.1109/TVCG.2009.113, severity 1, on linear sRGB; differences are
CIE76 in CIELAB (D65): 2.3 is just noticeable side by side, 10 is seen at a glance.
"""

import numpy as np
import pytest

from PDL1PredictorLib.report.colors import ANSWERS, HEAT_COLORS, NOTICES

VISIONS = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ.sum(axis=1)
AT_A_GLANCE = 10.0


def linear(color):
    parts = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(color, vision="normal"):
    xyz = TO_XYZ @ np.clip(VISIONS[vision] @ linear(color), 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one, other, vision):
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def contrast(one, other):
    low, high = sorted(float((TO_XYZ @ linear(color))[1]) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(
    ("one", "other"), [("positive", "negative"), ("positive", "undecided"), ("negative", "undecided")]
)
def test_answers_are_told_apart_in_every_color_vision(vision, one, other):
    for part in ("bar", "ink"):
        assert apart(getattr(ANSWERS[one], part), getattr(ANSWERS[other], part), vision) > AT_A_GLANCE, part


@pytest.mark.parametrize("vision", VISIONS)
def test_what_must_not_be_overlooked_looks_unlike_a_note(vision):
    for strong in ("strong", "error", "warning"):
        for quiet in ("note", "done"):
            assert apart(NOTICES[strong].line, NOTICES[quiet].line, vision) > AT_A_GLANCE, (strong, quiet)


def test_words_can_be_read_on_their_grounds():
    for name, colors in (*ANSWERS.items(), *NOTICES.items()):
        assert contrast(colors.ink, colors.ground) >= 4.5, name  # WCAG 2.1, 1.4.3 (AA)
    for name, colors in ANSWERS.items():
        assert contrast("#1c2733", colors.bar) >= 4.5, name  # the marks and words on a bar


@pytest.mark.parametrize("vision", VISIONS)
def test_more_heat_is_brighter_in_every_color_vision(vision):
    lightness = [lab("#{:02x}{:02x}{:02x}".format(*color), vision)[0] for color in HEAT_COLORS]
    assert (np.diff(lightness) > 1).all()


def test_the_simulation_sees_what_a_dichromat_confuses():
    assert apart("#a05a00", "#6b7a00", "deutan") < 15 < apart("#a05a00", "#6b7a00", "normal")
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=0.01)
    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.01)

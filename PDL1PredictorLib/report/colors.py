"""The colors of an answer, of a heat map and of a map of a feature: read by the HTML report and by Slicer's window."""

from typing import NamedTuple


class AnswerColors(NamedTuple):
    """Of one kind of answer, as `#rrggbb`; told apart in every color vision, and never by color alone.

    Attributes:
        ink: Its words.
        ground: Behind its words.
        bar: Its probability, dark words on it can be read.
    """

    ink: str
    ground: str
    bar: str


_IN_DOUBT = AnswerColors(ink="#3d4854", ground="#f3f5f8", bar="#c6ccd4")
#: By the verdict's call; what is not answered has no color
ANSWERS = {
    "positive": AnswerColors(ink="#ab5118", ground="#fdf3ec", bar="#eab88f"),
    "negative": AnswerColors(ink="#24588c", ground="#eef4fa", bar="#a9c6e2"),
    "undecided": _IN_DOUBT,
    "borderline": _IN_DOUBT,
    "none": AnswerColors(ink="#566372", ground="#ffffff", bar="#e6eaef"),
    "value": AnswerColors(ink="#33415c", ground="#eff1f6", bar="#b7c2d6"),
}


class NoticeColors(NamedTuple):
    """Of a box with a message, as `#rrggbb`; both text and ground are given, for light and dark windows.

    Attributes:
        ground: Behind the words.
        line: Around them.
        ink: The words.
    """

    ground: str
    line: str
    ink: str


#: By how much a message weighs; `strong` is what must not be overlooked before an answer is read
NOTICES = {
    "note": NoticeColors("#e8f0fb", "#b9cfee", "#173a66"),
    "warning": NoticeColors("#fff6e0", "#c98a00", "#5c4400"),
    "strong": NoticeColors("#fdece3", "#b4561a", "#5a2408"),
    "error": NoticeColors("#fde8e8", "#b02a2a", "#7a1212"),
    "done": NoticeColors("#e5f4e9", "#4c9a63", "#14532d"),
}
# matplotlib's "inferno" (CC0) from 30 to 96 % of its scale, at even steps: for every color vision, brighter means more
HEAT_COLORS = (
    (106, 23, 110),
    (140, 35, 105),
    (174, 48, 92),
    (204, 66, 72),
    (229, 92, 48),
    (245, 125, 21),
    (252, 163, 9),
    (249, 203, 53),
    (242, 242, 125),
)
# matplotlib's "viridis" (CC0), at even steps: a measure, not to be taken for heat
MAP_COLORS = (
    (68, 1, 84),
    (71, 44, 122),
    (59, 81, 139),
    (44, 113, 142),
    (33, 144, 141),
    (39, 173, 129),
    (92, 200, 99),
    (170, 220, 50),
    (253, 231, 37),
)

"""The recipe's own text on the page."""

from PDL1PredictorLib.study.report.method_text import Block, blocks, marked


def test_paragraphs_and_lists_are_told_apart():
    text = "One\ntwo:\n\n- first\n  goes on\n- second\n\nEnd."
    assert blocks(text) == [Block("One two:"), Block("", ("first goes on", "second")), Block("End.")]
    assert blocks("") == []


def test_code_is_set_as_such_and_all_else_is_text():
    assert marked("a `b<c>` <d>") == "a <code>b&lt;c&gt;</code> &lt;d&gt;"
    assert marked("a ` b <c>") == "a ` b &lt;c&gt;"

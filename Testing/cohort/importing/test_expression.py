"""Labels by RNA: above the median of the block, whatever the other block's scale is."""

import pytest

from PDL1PredictorLib.cohort.importing.expression import add_expression_by_block
from PDL1PredictorLib.core.errors import InputError

HEAD = "case,matched_by,block,CD274_log10,CD8A_log10,CD274_detected"
SAMPLES = (
    "a,firm,0,1,9,1",
    "b,firm,0,2,8,1",
    "c,weak,0,3,7,1",
    "d,firm,1,10,1,1",
    "e,firm,1,30,2,0",
    "f,firm,1,20,3,0",
)


def table(tmp_path, *lines):
    path = tmp_path / "expression.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(*cases):
    return [{"case": name} for name in cases]


def test_a_gene_is_high_above_the_median_of_its_own_block(tmp_path):
    rows = rows_of("a", "b", "c", "d", "e", "f")
    notes = add_expression_by_block(rows, table(tmp_path, HEAD, *SAMPLES))
    assert [row["PDL1_RNA"] for row in rows] == ["0", "0", "1", "0", "1", "0"]
    assert [row["CD8"] for row in rows] == ["1", "0", "0", "0", "0", "1"]
    assert rows[2]["note_block"] == "0"
    assert rows[2]["note_matched_by"] == "weak"
    assert rows[2]["note_CD8A_log10"] == "7"
    assert notes[:2] == [
        "PDL1_RNA is high where CD274_log10 is above 2 in block 0.",
        "PDL1_RNA is high where CD274_log10 is above 20 in block 1.",
    ]


def test_the_level_of_pd_l1s_gene_is_told_less_the_median_of_its_block(tmp_path):
    rows = rows_of("a", "c", "e")
    add_expression_by_block(rows, table(tmp_path, HEAD, *SAMPLES))
    levels = [float(row["CD274"]) for row in rows]
    assert levels == [float(row["note_CD274_log10"]) - cut for row, cut in zip(rows, (2, 2, 20), strict=True)]
    assert [level > 0 for level in levels] == [row["PDL1_RNA"] == "1" for row in rows]


def test_a_level_in_no_known_unit_is_no_number_to_learn(tmp_path):
    rows = rows_of("a", "b")
    add_expression_by_block(rows, table(tmp_path, "case,CD274", "a,1", "b,4"))
    assert [row["PDL1_RNA"] for row in rows] == ["0", "1"]
    assert "CD274" not in rows[0]


def test_samples_without_an_image_count_for_the_median_and_cases_without_a_sample_are_told(tmp_path):
    rows = rows_of("b", "z")
    notes = add_expression_by_block(rows, table(tmp_path, HEAD, *SAMPLES))
    assert rows[0]["PDL1_RNA"] == "0"
    assert rows[1] == {"case": "z"}
    assert notes[-1] == "Without expression: z."


def test_an_empty_value_gives_no_label_and_no_block_is_one_block(tmp_path):
    rows = rows_of("a", "b", "c")
    notes = add_expression_by_block(rows, table(tmp_path, "case,CD274", "a,1", "b,", "c,3"))
    assert [row.get("PDL1_RNA") for row in rows] == ["0", None, "1"]
    assert notes == ["PDL1_RNA is high where CD274 is above 2."]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("case,block,GZMA", "a,0,1"), "needs the column 'case' and CD274 or CD8A"),
        (("patient,CD274", "a,1"), "needs the column 'case'"),
        (("case,CD274", "a,1", "a,2"), "names a case twice"),
        (("case,CD274", "a,much", "b,2"), "CD274 of a is 'much'"),
        (("case,block,CD274", "a,0,1", "b,0,2", "c,1,3"), "block '1' has one sample"),
    ],
)
def test_a_table_that_does_not_serve_is_refused(tmp_path, lines, words):
    with pytest.raises(InputError, match=words):
        add_expression_by_block(rows_of("a"), table(tmp_path, *lines))

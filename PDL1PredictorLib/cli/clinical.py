"""Clinical values of one case on the command line: a JSON file, or names with values."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.strict_json import strict_json

if TYPE_CHECKING:
    from PDL1PredictorLib.core.clinical_columns import ClinicalColumn


def clinical_given(text: str | None, declared: Sequence["ClinicalColumn"] = ()) -> Any:
    """What is known of the patient, as `core.case.Clinical`.

    Args:
        text: `age_years=63,sex=female`, or the path of a JSON file; None where nothing was given.
        declared: Clinical columns of the model.

    Raises:
        InputError: A name is not known, or a value is impossible.
    """
    from PDL1PredictorLib.cohort.clinical_cells import clinical_of
    from PDL1PredictorLib.core.case import Clinical

    if text is None:
        return Clinical()
    if "=" not in text or Path(text).is_file():
        clinical = Clinical.from_dict(_from_json(Path(text)), [column.name for column in declared])
        for column in declared:
            column.code(clinical.other.get(column.name))  # refuses what it cannot number
        return clinical
    cells = _pairs(text)
    Clinical.from_dict(dict.fromkeys(cells), [column.name for column in declared])  # refuses names
    return clinical_of(cells, declared)


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise InputError(f"--clinical is written NAME=VALUE,NAME=VALUE or names a JSON file; got {part.strip()!r}.")
        if name in found:
            raise InputError(f"--clinical gives {name} twice.")
        found[name] = value
    return found


def _from_json(file: Path) -> Any:
    try:
        return strict_json(file.read_bytes())
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}. Name a JSON file, or write --clinical age_years=63,sex=female."
        ) from error
    except ValueError as error:
        raise InputError(
            f'{file} is not JSON: {error}. Write for example {{"age_years": 63, "sex": "female"}}.'
        ) from error

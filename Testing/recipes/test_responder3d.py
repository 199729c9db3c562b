"""The recipe of volumes from end to end on a cohort of balls: trained, shipped, read, answered with and without PET."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import lead_of
from PDL1PredictorLib.core.settings import VolumeSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.learning.recipe import roles_of
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.page import Shared
from PDL1PredictorLib.recipes.responder3d import FROM_BOTH, FROM_CT, Responder3dRecipe
from PDL1PredictorLib.recipes.responder3d_page import PAGE
from PDL1PredictorLib.study.leak import leak_test

HELPER = Path(__file__).resolve().parents[1] / "helpers" / "toy_volumes.py"
BASELINES = ["LASSO + LR", "PCA + LR", "Random forest", "Tumor volume"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a cohort, and beside it the model that one command made of it."""
    folder = tmp_path_factory.mktemp("volumes")
    made = subprocess.run([sys.executable, str(HELPER), str(folder)], capture_output=True, text=True, encoding="utf-8")
    assert made.returncode == 0, made.stderr[-3000:]
    return folder


def test_the_bundle_is_small_and_says_what_it_needs(trained: Path):
    size = sum(file.stat().st_size for file in (trained / "model").rglob("*") if file.is_file())
    assert size < 2**20
    manifest = json.loads((trained / "model" / "model.json").read_text(encoding="utf-8"))
    needs, network = manifest["needs"], manifest["network"]
    assert (network["pool"], network["head"]) == ("contour", "linear")
    assert (needs["picture"], needs["pet"], needs["volume"]) == (
        "volume",
        "optional",
        {"voxels": 16, "spacing_mm": 1.5},
    )
    assert (network["backbone"], network["bits"], network["outputs"]) == ("cnn3d", 32, "answers")
    assert manifest["endpoints"]["RESPONSE"]["parts"] == ["network"]
    assert "3D-CNN" in (trained / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_the_study_tells_every_model_every_fold_and_the_hold_out(trained: Path):
    study = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    found = study["endpoints"]["RESPONSE"]
    assert list(found["models"]) == [FROM_BOTH, FROM_CT, *BASELINES]
    assert {title: len(areas) for title, areas in found["inner_folds"].items()} == {FROM_BOTH: 5, FROM_CT: 5}
    assert found["models"][FROM_CT]["delong"] is not None  # paired, against the network that has the PET
    assert found["models"][FROM_BOTH]["auc"]["value"] > 0.6
    assert all("validation" in epoch for epoch in study["history"])
    assert study["gallery"]
    page = (trained / "model.study" / "report.html").read_text(encoding="utf-8")
    for words in ("Folds and hold-out", "Confusion matrices", "Learning curves", "sagittal", "Research use only"):
        assert words in page


def test_finished_models_are_evaluated_with_the_pet_of_the_table(trained: Path):
    found = json.loads(next((trained / "evaluation").glob("*.json")).read_text(encoding="utf-8"))
    areas = [model["auc"]["value"] for model in found["endpoints"]["RESPONSE"]["models"].values()]
    assert areas[0] > 0.55


@pytest.fixture(scope="module")
def files(trained: Path) -> Files:
    new = trained / "new"
    return Files(new / "6-00_ct.nii.gz", new / "6-00_mask.nii.gz", pet=new / "6-00_pet.nii.gz")


def test_it_answers_with_and_without_the_pet_and_says_so(trained: Path, files: Files):
    predictor = load_predictor(trained / "model")
    options = Options(device="cpu", stability=False)
    with_pet = predict_case(read_case(files).case, predictor, options)
    without = predict_case(read_case(replace(files, pet=None)).case, predictor, options)
    assert [w.code for w in with_pet.warnings] == []
    assert [w.code for w in without.warnings] == ["pet_missing"]
    answers = [result.lesions[0].endpoints[0] for result in (with_pet, without)]
    assert answers[0].probability != answers[1].probability
    (heat,) = with_pet.lesions[0].heat_maps
    assert heat.image.GetSize() == (16, 16, 16)
    assert heat.image.GetSpacing() == pytest.approx((1.5, 1.5, 1.5))
    middle = heat.image.TransformContinuousIndexToPhysicalPoint((7.5, 7.5, 7.5))
    assert np.abs(np.array(middle) - with_pet.lesions[0].center_lps_mm).max() < 1.5
    assert heat.method == "class activation map"
    assert with_pet.provenance.network == "onnxruntime"


def test_the_same_tumor_hotter_in_the_pet_answers_otherwise(trained: Path, files: Files):
    case = read_case(files).case
    predictor, options = load_predictor(trained / "model"), Options(device="cpu", stability=False)
    found = [
        predict_case(replace(case, pet=case.pet * factor), predictor, options).lesions[0].endpoints[0].probability
        for factor in (0.5, 1.0, 2.0)
    ]
    assert len(set(found)) == 3


@pytest.mark.parametrize(("pet", "given", "code"), [("no", True, "pet_unused"), ("optional", False, "pet_missing")])
def test_a_pet_that_nobody_reads_and_one_that_is_missing_are_told(pet: str, given: bool, code: str, phantom):
    from PDL1PredictorLib.models.case_warnings import pet_as_needed

    settings = None if pet == "no" else VolumeSettings()
    needs = Needs(picture="none" if pet == "no" else "volume", pet=pet, volume=settings)
    image = sitk.Image([4, 4, 4], sitk.sitkFloat32) + 1.0
    case = replace(phantom.case, pet=image if given else None)
    found, told = pet_as_needed(case, SimpleNamespace(needs=needs))
    assert (found.pet, [warning.code for warning in told]) == (None, [code])


def test_a_model_that_needs_a_pet_refuses_a_case_without(phantom):
    from PDL1PredictorLib.models.case_warnings import pet_as_needed

    needs = Needs(picture="volume", pet="required", volume=VolumeSettings())
    model = SimpleNamespace(needs=needs, summary=SimpleNamespace(name="toy"))
    with pytest.raises(InputError, match=r"toy needs a PET in SUV beside the CT. Give one \(--pet\)"):
        pet_as_needed(replace(phantom.case, pet=None), model)


def built(**options: object) -> Responder3dRecipe:
    given = {option.key: option.default for option in PAGE.options} | options
    return PAGE.build(Shared(("RESPONSE",), 1, "split", 5), given)


def test_without_a_pet_the_network_of_the_ct_leads():
    assert lead_of(roles_of(built())) == FROM_CT
    assert list(roles_of(built(use_pet="optional"))) == [FROM_BOTH, FROM_CT, *BASELINES]
    assert built().needs.to_dict()["volume"] == {"voxels": 40, "spacing_mm": 1.0}
    assert built(voxels=32, voxel_mm=3.0).volume.edge_mm == 96


def test_as_published_trains_a_hundred_epochs_of_32():
    paper = built(as_published=True).network
    assert (paper.epochs, paper.batch, paper.learning_rate, paper.patience) == (100, 32, 1e-3, None)
    assert paper.pool == "picture"
    for more in ({"most_epochs": 3}, {"pool": "contour"}, {"cpu_bfloat16": True}):
        with pytest.raises(InputError, match="leave --most-epochs, --pool contour and --cpu-bfloat16 out"):
            built(as_published=True, **more)


def test_maps_are_pooled_within_the_contour_and_a_ring_of_4_mm_unless_asked_otherwise():
    within, over = built(), built(pool="picture")
    assert (within.network.pool, within.network.ring, within.network.pooled) == ("contour", 4, (1, 2))
    assert [built(voxel_mm=mm).network.ring for mm in (0.5, 1.5, 5.0)] == [7, 3, 1]
    assert (over.network.pool, over.network.epochs, over.volume.voxels) == ("picture", 40, 64)
    assert "block 2, 3 within the contour and within a ring of 4 voxels" in within.method_text()
    assert "mean of the last maps over the volume" in over.method_text()
    assert built(cpu_bfloat16=True, most_epochs=3).network.epochs == 3
    assert "16 bits" in built(cpu_bfloat16=True).method_text()


def test_the_method_says_what_is_seen_and_how_it_is_trained():
    alone, both = built().method_text(), built(use_pet="optional").method_text()
    assert "No PET is used." in alone
    assert "SUV over 20" in both
    assert "early death is no response" in " ".join(both.split())


def made_up(n: int = 60) -> PreparedCohort:
    """Volumes and features that know nothing of the labels."""
    rng = np.random.default_rng(0)
    names = FEW.feature_names()
    features = np.abs(rng.normal(100, 10, size=(n, len(names))))
    blocks = {
        "features": features,
        "volume": rng.normal(-500, 200, (n, 16, 16, 16)).astype(np.int16),
        "volume_tumor": np.broadcast_to(np.indices((16,) * 3).sum(0) < 20, (n, 16, 16, 16)),
        "volume_suv": rng.integers(0, 900, (n, 16, 16, 16)).astype(np.int16),
        "pet": rng.random(n) < 0.8,
    }
    target = Target("binary", np.arange(n) % 2 * 1.0)
    return PreparedCohort(tuple(f"c{i}" for i in range(n)), {"RESPONSE": target}, blocks, names)


FEW = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)


def test_shuffled_labels_are_not_found():
    network = VolumeTraining(epochs=2, batch=8, widths=(2, 4))
    recipe = Responder3dRecipe(
        features=FEW, volume=VolumeSettings(16, 2.0), pet="optional", network=network, n_inner_folds=2, n_repeats=1
    )
    cohort = made_up()
    found = leak_test(cohort, cohort.names, "RESPONSE", recipe, repeats=3, workers=1)
    for title in (FROM_BOTH, FROM_CT):
        assert abs(found.mean(title) - 0.5) < 0.25

"""The laws of a phantom cohort and the best that any model can reach, as plain values for JSON."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.phantom import people, pet, tps
from PDL1PredictorLib.phantom.follow_up import HAZARD, SCALE_DAYS, SHAPE, WATCHED_DAYS, best_time
from PDL1PredictorLib.phantom.patient import Extent
from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT, TRAITS, UPTAKE
from PDL1PredictorLib.phantom.truth import (
    HIGH_STEP,
    LATER_LAWS,
    LAWS,
    MISSING_LABEL_SHARE,
    Law,
    bayes_auc,
    bayes_auc_without,
    intercept,
)

Plain = dict[str, Any]


def truth_record(seed: int, n: int, extent: Extent) -> Plain:
    """The laws of the cohort as plain values for JSON."""
    return {
        "about": "Synthetic patients. The laws are invented and say nothing about real biology.",
        "library_version": __version__,
        "seed": seed,
        "patients": n,
        "extent": extent,
        "missing_label_share": MISSING_LABEL_SHARE,
        "traits": {"names": list(TRAITS), "distribution": f"standard normal, clipped at +-{TRAIT_LIMIT}"},
        "endpoints": _endpoints(LAWS),
        "later_endpoints": {**_endpoints(LATER_LAWS), "TPS": _tps(), "PFS": _pfs()},
        "response": {
            "bayes_auc_from_ct": _short(bayes_auc_without("RESPONSE", [UPTAKE])),
            "bayes_auc_from_ct_without_striation": _short(bayes_auc_without("RESPONSE", [UPTAKE, "striation"])),
        },
        "pet": {
            "suv_of_tumor": f"{pet.LEAST_SUV:g} + {pet.RANGE_SUV:g} * expit({UPTAKE})",
            "psf_mm": pet.PSF_MM,
            "voxel_mm": pet.VOXEL_MM,
        },
        "clinical": _clinical(),
    }


def _endpoints(laws: Mapping[str, Law]) -> Plain:
    return {
        key: {
            "prevalence": law.prevalence,
            "intercept": intercept(key),
            "weights": dict(law.weights),
            "bayes_auc": _short(bayes_auc(key)),
        }
        for key, law in laws.items()
    }


def _tps() -> Plain:
    best = tps.best_number()
    return {
        "unit": "%",
        "law": f"100 * expit({tps.SLOPE} * (u - {HIGH_STEP})), u = log-odds of PDL1 + logistic noise",
        "best": {name: _short(value, 3) for name, value in best._asdict().items()},
    }


def _pfs() -> Plain:
    return {
        "unit": "days",
        "law": f"S(t) = exp(-(t / {SCALE_DAYS:g})^{SHAPE:g} * exp(log hazard))",
        "log_hazard_weights": dict(HAZARD),
        "censoring_days": f"uniform, {WATCHED_DAYS[0]:g} to {WATCHED_DAYS[1]:g}",
        "best": {name: _short(value, 3) for name, value in best_time()._asdict().items()},
    }


def _clinical() -> Plain:
    best = people.best_people()
    return {
        "missing_share": people.MISSING_SHARE,
        "smoking": {
            name: dict(zip(people.SMOKING, people.SMOKING_SHARES[positive], strict=True))
            for name, positive in (("PDL1 negative", False), ("PDL1 positive", True))
        },
        "age_step_years": people.AGE_STEP_YEARS,
        "bayes_auc_for_PDL1_all_known": _short(best.clinical),
        "bayes_auc_for_PDL1_with_traits": _short(best.clinical_and_traits),
    }


def _short(value: float, digits: int = 4) -> float:
    return round(float(value), digits)

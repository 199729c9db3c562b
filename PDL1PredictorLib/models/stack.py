"""A stack: parts of input made of a tumor, a classifier or linear model on them, a calibration on that.

Deep-RadScore is one: deep features of a network and RadScores of tumor and ring, fused by a classifier into calibrated
probabilities.

Source: paper 001 (see `docs/methods.md`); steps 4 and 5 of "One case" in `docs/architecture.md`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.clinical_columns import clinical_row, require_declared
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import Answer, CaseWarning, HeatMap, ModelSummary
from PDL1PredictorLib.core.settings import REGIONS, FrameSettings, RegionSettings
from PDL1PredictorLib.imaging.patch import Patch
from PDL1PredictorLib.models.answers import UNKNOWN, Question, answer_to
from PDL1PredictorLib.models.behind import features_behind
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.clinical_warnings import clinical_warnings, kernel_warnings
from PDL1PredictorLib.models.contents import read_tables
from PDL1PredictorLib.models.inputs import NOTHING, Inputs
from PDL1PredictorLib.models.manifest import Manifest
from PDL1PredictorLib.models.network.answering import AnsweringNetwork, Shown
from PDL1PredictorLib.models.network.inside import Inside, look_inside
from PDL1PredictorLib.models.network.output import NetworkOutput
from PDL1PredictorLib.models.network.run import Network
from PDL1PredictorLib.models.network.sight import maps_of, patches_seen, seen_of, shown_of
from PDL1PredictorLib.models.onnx.session import Classifier
from PDL1PredictorLib.models.predictor import Answered, Given
from PDL1PredictorLib.models.reference import NOT_KNOWN, Likeness, Seen, likeness
from PDL1PredictorLib.models.schema.endpoints import EndpointModel, Linear
from PDL1PredictorLib.models.schema.network import ANSWERS, VOLUME_COLUMN, NetworkEntry
from PDL1PredictorLib.models.schema.stacked import Stacked
from PDL1PredictorLib.models.verdicts import Standing
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.statistics.scores import calibrated_log_odds, limited_log_odds, radscore


class Stack:
    """A loaded bundle of the family `stack`; see `models.predictor.Predictor` for what it can do.

    Args:
        bundle: As `models.bundle.read_bundle` gives it: complete and with the right hashes.
        manifest: Its manifest.

    Raises:
        BundleError: The tables do not fit the manifest.
    """

    def __init__(self, bundle: Bundle, manifest: Manifest) -> None:
        self._bundle = bundle
        self.manifest = manifest
        self._tables = self._load_tables()
        self._imputer = None if manifest.imputer is None else manifest.imputer.of(self._tables)
        self.network = None if manifest.network is None else self._load_network(manifest.network)
        self._classifiers: dict[str, Classifier] = {}

    @property
    def summary(self) -> ModelSummary:
        """What a reader needs to know of it."""
        return self.manifest.summary

    @property
    def needs(self) -> Needs:
        """Which parts of a case must be given."""
        return self.manifest.needs

    @property
    def regions(self) -> RegionSettings:
        """How it wants the regions made."""
        return self.manifest.regions

    @property
    def features(self) -> FeatureSettings | None:
        """How it wants them measured; None where no features are needed."""
        return self.manifest.features

    def __repr__(self) -> str:
        summary = self.manifest.summary
        return f"{summary.title} {summary.version} ({summary.name}): {', '.join(self.endpoints)}"

    @property
    def slices(self) -> int:
        """How many slices its network sees; 0 without one."""
        return 0 if self.manifest.network is None else self.manifest.network.slices

    @property
    def used_features(self) -> frozenset[str]:
        """Radiomic features that its answers are made of."""
        return self.manifest.table_features.union(*(model.used_features for model in self.manifest.endpoints))

    @property
    def seen_cases(self) -> frozenset[str]:
        """Hashes of the CTs that it is known to have learned from; empty where it does not say."""
        return self.manifest.seen_cases

    @property
    def voxel_maps(self) -> tuple[str, ...]:
        """Features that it wants mapped over the tumor beside its heat map; none of most."""
        return self.manifest.voxel_maps

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys, in the order of the answers."""
        return tuple(model.key for model in self.manifest.endpoints)

    @property
    def coverage(self) -> float:
        """Design coverage of prediction sets and intervals."""
        return self.manifest.coverage

    def answer(self, given: Given, device: str, progress: Progress = SILENT, runtime: str = "auto") -> Answered:
        """Answer for one tumor, and explain; see `models.predictor.Predictor.answer`."""
        with progress.part("network", 0.0, 0.75, "running the network"):
            output = self._run(given, device, runtime)
            heat_maps = () if output is None else self._heat_maps(output, given)
            moved = tuple(self._moved(one, device, runtime) for one in given.moved)
        with progress.part("answer", 0.75, 1.0, "answering"):
            inputs = replace(self.inputs(given, *_made_by(output)), inside=self._inside(given, output))
            standing = Standing(self.summary.trained_on, given.synthetic, inputs.likeness.unlike)
            answers = tuple(
                self.answer_for(model, inputs, moved, standing, given.prevalence.get(model.key))
                for model in self.manifest.endpoints
            )
        return Answered(
            answers=answers,
            scores=inputs.scores,
            atypicality=inputs.atypicality,
            unlike=inputs.likeness.unlike,
            heat_maps=heat_maps,
            device="cpu" if output is None else output.device,
            network="none" if output is None else output.runtime,
            warnings=(
                *(() if output is None else output.warnings),
                *_warnings(inputs, given.patch, heat_maps),
                *clinical_warnings(self.needs.columns, inputs.clinical, inputs.unknown, self.manifest.imputer),
                *kernel_warnings(self.manifest.training_kernels, given.clinical.kernel),
            ),
        )

    def inputs(self, given: Given, deep: np.ndarray, answers: np.ndarray = NOTHING) -> Inputs:
        """What the endpoints' inputs are made of, and the distance to the training cohort.

        Args:
            given: Of the tumor.
            deep: Deep features, (n_deep,); none, (0,), without a network.
            answers: Of a network that answers by itself, (e,); none, (0,), otherwise.

        Raises:
            InputError: A feature that the model needs is not among them.
        """
        z, missing = self._standardize(given.features or {}, frozenset(self.manifest.feature_mean))
        clinical, unknown = self._clinical(given)
        scores = {model.key: _radscores(model, z) for model in self.manifest.endpoints if model.coefficients}
        deep = self._finite(deep, "deep features")
        likeness = self._likeness(given, deep, z)
        found = [score for both in scores.values() for score in both.values()]
        distance = likeness.atypicality
        self._finite(np.array([*found, 0.0 if math.isnan(distance) else distance]), "RadScores or distances")
        return Inputs(
            deep=deep,
            answers=self._finite(answers, "answers of its network"),
            z=z,
            scores=scores,
            log_volume=math.log(given.volume_ml),
            clinical=clinical,
            likeness=likeness,
            missing=missing,
            unknown=unknown,
        )

    def standardized(self, model: EndpointModel, inputs: Inputs) -> np.ndarray:
        """The inputs of one endpoint, standardized as in training: (d,)."""
        parts = {
            "deep": inputs.deep,
            "radscore": [inputs.scores[model.key][f"radscore_{region}"] for region in REGIONS]
            if "radscore" in model.parts
            else [],
            "selected": [inputs.z[name] for name in model.selected],
            "l2": [sum(weight * inputs.z[name] for name, weight in model.l2.items())],
            "network": inputs.answers[[self.endpoints.index(model.key)]] if "network" in model.parts else [],
            "stacked": [] if model.stacked is None else [self._within(model.stacked, inputs.deep)],
            "deep_logit": [] if model.deep_logit is None else [model.deep_logit.of(inputs.deep)],
            "volume": [inputs.log_volume],
            "clinical": inputs.clinical,
        }
        raw = np.concatenate([parts[part] for part in model.parts])
        row = (raw - np.array(model.input_mean)) / np.array(model.input_sd)
        return np.where(np.isnan(raw), 0.0, row)  # a clinical value that is not known: the training mean

    def score(self, model: EndpointModel, standardized: np.ndarray) -> np.ndarray:
        """The model's own number for rows of standardized inputs: (n, d) to (n,).

        Log-odds of positive of a classifier, not yet calibrated, or the sum of a linear model.
        """
        if isinstance(model.model, Linear):
            total = standardized @ np.array(model.model.coefficients) + model.model.intercept
            return self._finite(total, f"answers for {model.key}")
        with np.errstate(over="ignore"):  # too large for 32 bits: told below
            rows = self._finite(np.asarray(standardized).astype(np.float32), f"inputs of {model.key}")
        return self._log_odds(model.model, rows)

    def _within(self, one: Stacked, deep: np.ndarray) -> float:
        """Calibrated log-odds of a model whose answer is an input of another."""
        row = (deep[list(one.columns)] - np.array(one.mean)) / np.array(one.sd)
        odds = self._log_odds(one.file, row[None].astype(np.float32))
        return float(calibrated_log_odds(one.slope, one.intercept, odds)[0])

    def _log_odds(self, file: str, rows: np.ndarray) -> np.ndarray:
        try:
            return limited_log_odds(self._classifier(file).probabilities(rows))
        except ValueError as error:
            raise self._unfit(file, error) from error

    def answer_for(
        self,
        model: EndpointModel,
        inputs: Inputs,
        moved: Sequence[Inputs] = (),
        standing: Standing = UNKNOWN,
        prevalence: float | None = None,
    ) -> Answer:
        """The answer for one endpoint, with its verdict and what moved it.

        Args:
            model: Of the endpoint.
            inputs: Of the tumor.
            moved: Of the tumor under moved contours.
            standing: Of case and model.
            prevalence: Share of positives where the answer is used; None takes that of the training.
        """
        return answer_to(
            Question(
                model=model,
                names=self.manifest.inputs(model),
                row=self.standardized(model, inputs),
                score=lambda rows: self.score(model, rows),
                calibrations=self._tables.get(f"calibration/{model.key}", np.empty((0, 2))),
                coverage=self.coverage,
                resampled=self._tables.get(f"fusion/{model.key}"),
                moved=np.array([self.standardized(model, one) for one in moved]) if moved else None,
                standing=standing,
                prevalence=prevalence,
                inside=None if inputs.inside is None else inputs.inside.of(self.endpoints.index(model.key)),
                behind=features_behind(model, inputs.z),
            )
        )

    def _inside(self, given: Given, output: NetworkOutput | None) -> Inside | None:
        entry, network = self.manifest.network, self.network
        if not isinstance(network, AnsweringNetwork) or entry is None or entry.inputs.picture != "none":
            return None
        return None if output is None else look_inside(network, entry.inputs.table, self.shown(given), output)

    def _run(self, given: Given, device: str, runtime: str) -> NetworkOutput | None:
        if isinstance(self.network, AnsweringNetwork):
            return self.network.run(self.shown(given), runtime)
        if self.network is None:
            return None
        return self.network.run(patches_seen(given, self.slices, self._bundle.name), device, runtime)

    def shown(self, given: Given) -> Shown:
        """What a network that answers by itself is shown of a tumor.

        Raises:
            InputError: Something that it needs was not given.
        """
        entry = self.manifest.network
        if entry is None or entry.outputs != ANSWERS:
            raise ValueError("the model has no network that answers by itself")
        clinical = dict(zip(self.needs.clinical, self._clinical(given)[0], strict=True))
        raw = {**(given.features or {}), VOLUME_COLUMN: math.log(given.volume_ml), **clinical}
        return shown_of(given, entry, self.needs, raw, self._bundle.name)

    def _moved(self, given: Given, device: str, runtime: str) -> Inputs:
        """Inputs under a moved contour; of the radiomic features those alone that the answers are made of."""
        output = self._run(given, device, runtime)
        z, missing = self._standardize(given.features or {}, self.used_features)
        return Inputs(
            deep=self._finite(_made_by(output)[0], "deep features"),
            answers=self._finite(_made_by(output)[1], "answers of its network"),
            z=z,
            scores={model.key: _radscores(model, z) for model in self.manifest.endpoints if model.coefficients},
            log_volume=math.log(given.volume_ml),
            clinical=self._clinical(given)[0],
            likeness=NOT_KNOWN,
            missing=missing,
            unknown={},
        )

    def _clinical(self, given: Given) -> tuple[tuple[float, ...], dict[str, float]]:
        """Clinical values as inputs, and those of them that are not known with their estimate."""
        needs = self.needs
        require_declared(given.clinical, needs.declared, f"The model {self._bundle.name}")
        row = clinical_row(given.clinical, needs.clinical, needs.declared)
        filled = row if self._imputer is None else tuple(self._imputer(np.array([row]))[0].tolist())
        named = zip(needs.clinical, row, filled, strict=True)
        return filled, {name: estimate for name, value, estimate in named if math.isnan(value)}

    def _heat_maps(self, output: NetworkOutput, given: Given) -> tuple[HeatMap, ...]:
        """Of the endpoints whose answer the network has a part in; none where no map can be made."""
        seen = seen_of(given, self._frame)
        return tuple(
            HeatMap(model.key, image, output.method, seen=seen)
            for model, image in zip(
                self.manifest.endpoints, maps_of(output, given, self._frame), strict=False
            )  # no maps where none can be made
            if {"deep", "network"} & set(model.parts) or model.deep_logit is not None
        )

    @property
    def _frame(self) -> FrameSettings | None:
        return None if self.manifest.network is None else self.manifest.network.inputs.frame

    def _standardize(
        self, features: Mapping[str, float], wanted: frozenset[str]
    ) -> tuple[dict[str, float], tuple[str, ...]]:
        sd = self.manifest.feature_sd
        mean = {name: value for name, value in self.manifest.feature_mean.items() if name in wanted}
        absent = sorted(wanted - set(features))
        if absent:
            raise InputError(
                f"The model needs the feature {absent[0]} and {len(absent) - 1} more that were not extracted. "
                "Extract with the model's own feature settings."
            )
        missing = tuple(name for name in mean if not np.isfinite(features[name]))
        z = {name: 0.0 if name in missing else (features[name] - mean[name]) / sd[name] for name in mean}
        return z, missing

    def _likeness(self, given: Given, deep: np.ndarray, z: Mapping[str, float]) -> Likeness:
        entry = self.manifest.reference
        looked_at = {} if entry is None else {name: z[name] for name in entry.features}
        return likeness(entry, self._tables, Seen(given.sanity, deep, looked_at, given.pixel_aspect))

    def _load_tables(self) -> dict[str, np.ndarray]:
        own = self.manifest
        return read_tables(self._bundle, own.tables, own.table_shapes, own.calibrated, own.fusion_columns)

    def _load_network(self, entry: NetworkEntry) -> Network | AnsweringNetwork:
        name, weights = self._bundle.name, self._bundle.file(entry.file)
        graph = None if entry.graph is None else self._bundle.file(entry.graph)
        n = len(self.endpoints)
        if entry.outputs == ANSWERS:
            return AnsweringNetwork(name, entry, weights, graph or b"", n)
        return Network(name, weights, entry.backbone, entry.n_deep, n, graph=graph, head=entry.head, pool=entry.pool)

    def _classifier(self, file: str) -> Classifier:
        if file not in self._classifiers:
            try:
                self._classifiers[file] = Classifier(self._bundle.file(file))
            except ValueError as error:
                raise self._unfit(file, error) from error
        return self._classifiers[file]

    def _unfit(self, file: str, error: ValueError) -> BundleError:
        return BundleError(f"The classifier {file} of {self._bundle.name} cannot be used: {error}")

    def _finite(self, values: np.ndarray, what: str) -> np.ndarray:
        if not np.isfinite(values).all():
            raise BundleError(
                f"The model {self._bundle.name} gives {what} that are no finite numbers, so its numbers do not fit "
                "each other. No answer is given. Get the bundle again from its source."
            )
        return values


def _made_by(output: NetworkOutput | None) -> tuple[np.ndarray, np.ndarray]:
    """Deep features and answers of a network, empty where there are none."""
    return (NOTHING, NOTHING) if output is None else (output.deep, output.answers)


def _radscores(model: EndpointModel, z: Mapping[str, float]) -> dict[str, float]:
    row = np.array([list(z.values())])
    return {
        f"radscore_{region}": float(radscore(row, tuple(z), coefficients)[0])
        for region, coefficients in model.coefficients.items()
    }


def _warnings(inputs: Inputs, patch: Patch | None, heat_maps: tuple[HeatMap, ...]) -> Iterator[CaseWarning]:
    if inputs.missing:
        names = ", ".join(inputs.missing[:3]) + (" ..." if len(inputs.missing) > 3 else "")
        text = f"{len(inputs.missing)} feature(s) have no value here ({names}); the training mean was used for them."
        yield CaseWarning("features_missing", text)
    if patch is not None and patch.padded_fraction > 0:
        text = f"{patch.padded_fraction:.0%} of the network's patch lies outside the CT and was filled with air."
        yield CaseWarning("patch_padded", text)
    flat = [heat.endpoint for heat in heat_maps if not sitk.GetArrayViewFromImage(heat.image).any()]
    if flat:
        names = ", ".join(endpoint(key).title for key in flat)
        text = f"Nothing in the picture raises the answer, so the heat map is empty: {names}."
        yield CaseWarning("heat_map_empty", text)

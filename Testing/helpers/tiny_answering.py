"""Networks that answer by themselves, as small as can be, and a bundle around one of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from small_model import TINY_ENDPOINTS, export_tiny, tiny_trained
from torch import Tensor, nn

from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import VolumeSettings
from PDL1PredictorLib.learning.classifiers import Chosen
from PDL1PredictorLib.learning.trained import EndToEnd, TrainedEndpoint
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.cnn3d import Cnn3d
from PDL1PredictorLib.networks.output import AnsweringModule, Head, Output

VOXELS, PIXELS = 16, 160
COLUMNS = ("tumor_original_firstorder_Mean", "age_years", "log_volume")


class TinyPicture(AnsweringModule):
    """One convolution in two or three dimensions, the mean of its maps beside a table, one layer."""

    kind = "joint"

    def __init__(self, axes: int, n_table: int, n_endpoints: int = 2, linear: bool = True) -> None:
        super().__init__()
        conv, norm, pool = (
            (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d) if axes == 2 else (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d)
        )
        self.features = nn.Sequential(conv(3, 4, 3, padding=1), norm(4), nn.ReLU(), pool(4))
        self.n_table, self.linear = n_table, linear
        self.classifier = nn.Linear(4 + n_table, n_endpoints)

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        """Answers, and the maps that they come from."""
        maps = self.features(picture)
        pooled = maps.mean(dim=tuple(range(2, maps.ndim)))
        joined = pooled if table is None else torch.cat([pooled, table], dim=1)
        return Output(self.classifier(joined if self.linear else torch.tanh(joined)), maps)

    def head(self) -> Head | None:
        """The layer, taken apart."""
        if not self.linear:
            return None
        weight, bias = self.classifier.weight.detach().numpy(), self.classifier.bias.detach().numpy()
        return Head(weight[:, :4], weight[:, 4:], bias)


class TinyTransformer(AnsweringModule):
    """Columns as tokens, one block of attention, the first token answers."""

    kind = "transformer"

    def __init__(self, n_table: int, n_endpoints: int = 2) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(n_table, 8))
        self.first = nn.Parameter(torch.randn(1, 1, 8))
        self.norm, self.ask = nn.LayerNorm(8), nn.Linear(8, 24)
        self.classifier = nn.Linear(8, n_endpoints)

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        """Answers, and what the tokens attended to in two heads."""
        tokens = torch.cat([self.first.expand(len(table), 1, 8), table[:, :, None] * self.values], dim=1)
        asked = self.ask(self.norm(tokens)).reshape(len(table), -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        attention = (asked[0] @ asked[1].transpose(-1, -2) / 2.0).softmax(dim=-1)
        mixed = tokens + (attention @ asked[2]).transpose(1, 2).reshape(len(table), -1, 8)
        return Output(self.classifier(torch.relu(mixed[:, 0])), attention=attention)


def seeded(build: type[AnsweringModule], *arguments: object, **named: object) -> AnsweringModule:
    """In evaluation mode, its batch norms not the identity, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = build(*arguments, **named).eval()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                part.running_mean.uniform_(-0.5, 0.5)
                part.running_var.uniform_(0.5, 2.0)
    return module


def columns(names: tuple[str, ...], picture: str) -> NetworkInputs:
    """Standardized by 10, 20, 30 ... and 2."""
    return NetworkInputs(picture, names, tuple(10.0 * (i + 1) for i in range(len(names))), (2.0,) * len(names))


def end_to_end(form: str, n_table: int = 0, linear: bool = True) -> EndToEnd:
    """A network of that form of picture, with some of `COLUMNS`; `contour`: of a volume, pooled within the contour."""
    rng = np.random.default_rng(0)
    if form == "contour":
        module = seeded(Cnn3d, 3, 2, widths=(4, 8), pool="contour", ring=2)
        shown = rng.uniform(-1, 1, (2, 4, *(VOXELS,) * 3)).astype(np.float32)
        shown[:, 3] = np.abs(np.indices((VOXELS,) * 3) - 7.5).max(axis=0) < 4
        return EndToEnd(module, columns((), "volume"), {"volume": shown})
    shape = {"volume": (2, 3, *(VOXELS,) * 3), "slice": (2, 3, PIXELS, PIXELS), "slices": (2, 3, PIXELS, PIXELS)}
    shown = {"table": rng.normal(size=(2, n_table)).astype(np.float32)} if n_table else {}
    if form == "none":
        module = seeded(TinyTransformer, n_table)
    else:
        module = seeded(TinyPicture, 3 if form == "volume" else 2, n_table, linear=linear)
        name = "volume" if form == "volume" else "patch"
        shown = {name: rng.uniform(-1, 1, shape[form]).astype(np.float32), **shown}
    inputs = columns(COLUMNS[:n_table], form)
    return EndToEnd(module, inputs, shown, slices={"slice": 1, "slices": 5}.get(form, 0))


def needs_of(form: str, n_table: int) -> Needs:
    """What such a model asks of a case."""
    clinical = ("age_years",) if "age_years" in COLUMNS[:n_table] else ()
    volume = VolumeSettings(VOXELS, 3.0) if form in ("volume", "contour") else None
    return Needs(picture="volume" if volume else form.removesuffix("s"), clinical=clinical, volume=volume)


def export_answering(folder: Path, network: EndToEnd, needs: Needs) -> Bundle:
    """A bundle whose endpoints rest on the network's answers alone: log-odds of 0.8 x answer / 2 - 0.1, nearly."""
    trained = tiny_trained()
    own = {key: _endpoint(trained.endpoints[key]) for key in TINY_ENDPOINTS}
    return export_tiny(replace(trained, network=network, needs=needs, endpoints=own, reference=None), folder)


def _endpoint(endpoint: TrainedEndpoint) -> TrainedEndpoint:
    x = np.linspace(-2, 2, 60)[:, None]
    estimator = LogisticRegression(C=1e6).fit(x, (np.arange(60) % 5 < 2 + (x[:, 0] > 0)).astype(int))
    estimator.coef_, estimator.intercept_ = np.ones((1, 1)), np.zeros(1)
    chosen = Chosen("logistic regression", estimator, np.arange(1), {"logistic regression": 0.9}, np.full(60, 0.5))
    model = replace(endpoint.model, mean=np.zeros(1), sd=np.full(1, 2.0), chosen=chosen, inputs=x)
    return replace(endpoint, parts=("network",), entry={}, model=model)

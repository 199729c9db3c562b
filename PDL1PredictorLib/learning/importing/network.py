"""The weights of a network from elsewhere as the files of a bundle; torch reads weights alone, never objects."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.learning.importing.archives import TORCH_SUFFIXES, check_torch_archive
from PDL1PredictorLib.learning.importing.files import bounded
from PDL1PredictorLib.learning.importing.layout import NetworkPart
from PDL1PredictorLib.models.network.graph import INPUT, read_network_graph
from PDL1PredictorLib.models.network.output import LINEAR
from PDL1PredictorLib.models.network.run import shipped_graph
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.weights import COUNTER, SCALE, restored, rounded
from PDL1PredictorLib.models.tensors import read_tensors

GRAPH, WEIGHTS = "network.onnx", "network.safetensors"
MAX_BYTES = 2**30
MAX_NUMBERS = 2**28
HEAD = ("reduce.weight", "reduce.bias", "classifier.weight", "classifier.bias")
_WRAPPERS = ("state_dict", "model_state_dict")
_NEEDS_TORCH = "Install pdl1predictor[train], or write the weights as .safetensors."
_NEEDS_TRAIN = "The graph of this backbone is made by torch: install pdl1predictor[train]."

State = dict[str, np.ndarray]


def network_files(path: Path, part: NetworkPart, keys: tuple[str, ...], pixels: int) -> tuple[dict[str, bytes], Any]:
    """Weights and graph of a network.

    Args:
        path: Of the weights, .safetensors or .pth.
        part: What the page says of it.
        keys: Endpoints of the bundle, in order.
        pixels: Edge of the patch that it will see.

    Returns:
        Content by name in the bundle, and the manifest's entry `network`.

    Raises:
        InputError: It cannot be read, or is not a network that a bundle holds.
        MissingPackageError: torch is needed and not there.
    """
    state = _kept(path, _renamed(path, _read(path), part.rename), part.outputs, keys)
    n_deep = len(state["reduce.weight"])
    eight = any(value.dtype == np.int8 for value in state.values())
    plain = _restored(path, state)
    graph = _graph(part.backbone, len(keys), n_deep)
    _check_names(path, graph, plain)
    try:
        blank = np.zeros((1, 3, pixels, pixels), np.float32)
        NetworkSession(graph, plain, n_deep, len(keys)).run(blank)
    except ValueError as error:
        raise InputError(f"{path} does not fit {part.backbone} with {n_deep} deep features: {error}") from error
    written = state if eight else rounded(plain, 16)
    content = {name: np.ascontiguousarray(value) for name, value in written.items()}
    entry = {
        "file": WEIGHTS,
        "graph": GRAPH,
        "backbone": part.backbone,
        "n_deep": n_deep,
        "bits": 8 if eight else 16,
        "head": LINEAR,
        "moved": None,
        "slices": part.slices,
    }
    return {GRAPH: graph, WEIGHTS: bytes(safetensors.numpy.save(content))}, entry


def _read(path: Path) -> State:
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        try:
            arrays = read_tensors(bounded(path, MAX_BYTES))
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        return {name: value for name, value in arrays.items() if not name.endswith(COUNTER)}
    if suffix in TORCH_SUFFIXES:
        return _by_torch(path)
    raise InputError(f"{path} is no .safetensors and no .pth; other files of weights are not read.")


def _by_torch(path: Path) -> State:
    """A state dict, read as weights only from an archive whose sizes are known and small."""
    records = check_torch_archive(path)
    torch = require_module("torch", _NEEDS_TORCH)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or foreign file raises
        raise InputError(f"{path} is not read as weights only: {str(error)[:300]}") from error
    found = next((found[name] for name in _WRAPPERS if isinstance(found, dict) and name in found), found)
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{path} holds no arrays by name, as torch.save(network.state_dict(), ...) writes.")
    tensors = {name: value for name, value in found.items() if not name.endswith(COUNTER)}
    for name, value in tensors.items():
        sound = isinstance(value, torch.Tensor) and value.layout == torch.strided and value.is_floating_point()
        if not sound:
            raise InputError(f"{path}: {brief(name)} is no plain array of floating-point numbers.")
    storages = {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in tensors.values()}
    claimed = Counter(size for size in storages.values() if size)
    if claimed - Counter(records.values()) or sum(value.numel() for value in tensors.values()) > MAX_NUMBERS:
        raise InputError(f"{path} says that its arrays are larger than what it holds, or than a network here.")
    return {name: value.detach().float().contiguous().numpy() for name, value in tensors.items()}


def _renamed(path: Path, state: State, rename: Mapping[str, str]) -> State:
    """Names as this library has them; the prefix that training on several GPUs leaves is taken off."""
    bare = {name.removeprefix("module."): value for name, value in state.items()}
    found: State = {}
    for name, value in bare.items():
        old = max((old for old in rename if name.startswith(old)), key=len, default="")
        new = f"{rename[old]}{name[len(old) :]}" if old else name
        if new in found:
            raise InputError(f"{path} would have two arrays named {brief(new)}. Look at network.rename.")
        found[new] = value
    return found


def _kept(path: Path, state: State, outputs: tuple[str, ...], keys: tuple[str, ...]) -> State:
    """The weights, of the outputs those of the endpoints alone."""
    missing = [name for name in HEAD if name not in state]
    if missing:
        raise InputError(
            f"{path} lacks {', '.join(missing)}: two fully connected layers after the backbone, deep features and "
            f"answers. network.rename can give them these names; it has {brief(', '.join(list(state)[-4:]))}."
        )
    weight, bias = state["classifier.weight"], state["classifier.bias"]
    if state["reduce.weight"].ndim != 2:
        raise InputError(f"{path} has reduce.weight of shape {state['reduce.weight'].shape}; two lengths are needed.")
    if weight.ndim != 2 or len(weight) != len(outputs) or bias.shape != (len(outputs),):
        raise InputError(
            f"{path} has classifier.weight of shape {weight.shape}; {len(outputs)} outputs were named: "
            f"{', '.join(outputs)}. Name them all, in their order, as network.outputs."
        )
    rows = [outputs.index(key) for key in keys]
    return {**state, "classifier.weight": weight[rows], "classifier.bias": bias[rows]}


def _restored(path: Path, state: State) -> State:
    try:
        plain = restored(state)
    except ValueError as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    wrong = next((name for name, value in plain.items() if not np.isfinite(value).all()), None)
    if wrong is not None:
        raise InputError(f"{path}: {brief(wrong)} holds a number that is not finite.")
    return plain


def _graph(backbone: str, n_endpoints: int, n_deep: int) -> bytes:
    shipped = shipped_graph(backbone)
    if shipped is not None:
        return shipped
    for name in ("torch", "onnx"):
        require_module(name, _NEEDS_TRAIN)
    from PDL1PredictorLib.learning.network_files import graph_bytes
    from PDL1PredictorLib.networks.deep_ct import DeepCT

    return graph_bytes(DeepCT(n_endpoints, n_deep, backbone=backbone).eval())


def _check_names(path: Path, graph: bytes, state: State) -> None:
    """The arrays are those that the graph asks for, none missing and none left over."""
    steps = read_network_graph(graph).steps
    made = {step.output for step in steps} | {INPUT}
    needed = {name for step in steps for name in step.inputs} - made
    given = {name for name in state if not name.endswith(SCALE)}
    for words, names in (("lacks", needed - given), ("has, and no step uses,", given - needed)):
        if names:
            some = ", ".join(sorted(names)[:3])
            raise InputError(
                f"{path} {words} {len(names)} arrays: {brief(some)}. Names are those of torchvision behind "
                "'features.', and network.rename can change their beginnings."
            )

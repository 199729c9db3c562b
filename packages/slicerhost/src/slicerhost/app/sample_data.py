"""The module ``SampleData`` without downloads: sources are registered, and loaded if their address is a local file."""

import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import slicer


@dataclass
class SampleDataSource:
    """One entry of the Sample Data panel; names are Slicer's."""

    sampleName: str | None = None
    sampleDescription: str | None = None
    uris: Any = None
    fileNames: Any = None
    nodeNames: Any = None
    checksums: Any = None
    loadFiles: Any = None
    customDownloader: Any = None
    thumbnailFileName: str | None = None
    loadFileTypes: Any = None
    loadFileProperties: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Single values become lists of the same length, as in Slicer.

        Raises:
            ValueError: The lists differ in length.
        """
        for name in ("uris", "fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes"):
            value = getattr(self, name)
            setattr(self, name, list(value) if isinstance(value, (list, tuple)) else [value])
        count = len(self.uris)
        for name in ("fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes"):
            value = getattr(self, name)
            if value == [None]:
                setattr(self, name, [None] * count)
            elif len(value) != count:
                raise ValueError(f"SampleDataSource: {name} has {len(value)} entries for {count} uris")


def _sources() -> dict[str, list[SampleDataSource]]:
    if not hasattr(slicer.modules, "sampleDataSources"):
        slicer.modules.sampleDataSources = {}
    return slicer.modules.sampleDataSources


class SampleDataLogic:
    """The part of SampleData's logic that other modules call."""

    def __init__(self, logMessage: Any = None) -> None:
        self.logMessage = logMessage or (lambda *_: None)

    @staticmethod
    def registerCustomSampleDataSource(category: str = "Custom", **arguments: Any) -> None:
        """Adds a source to a category."""
        _sources().setdefault(category, []).append(SampleDataSource(**arguments))

    @staticmethod
    def sourceForSampleName(name: str) -> SampleDataSource | None:
        """The source of a name, or None."""
        return next((source for group in _sources().values() for source in group if source.sampleName == name), None)

    def downloadSamples(self, name: str) -> list[Any]:
        """Loads the files of a source; as in Slicer, `customDownloader` is for the panel's button, not for scripts.

        Raises:
            ValueError: No source of that name.
            RuntimeError: An address is not a local file: the host downloads nothing.
        """
        source = self.sourceForSampleName(name)
        if source is None:
            raise ValueError(f"no sample data is named {name!r}")
        return [self._load(source, index) for index in range(len(source.uris))]

    @staticmethod
    def _load(source: SampleDataSource, index: int) -> Any:
        address = urlparse(str(source.uris[index]))
        if address.scheme != "file":
            raise RuntimeError(f"the test host downloads nothing: {source.uris[index]}")
        path = unquote(address.path)
        if source.loadFiles[index] is False:
            return path
        properties = dict(source.loadFileProperties)
        node_name = source.nodeNames[index] or Path(path).name.split(".")[0]
        return slicer.util.loadNodeFromFile(path, source.loadFileTypes[index], {**properties, "name": node_name})


def download_sample(name: str) -> Any:
    """The first node of a source."""
    return SampleDataLogic().downloadSamples(name)[0]


def download_samples(name: str) -> list[Any]:
    """All nodes of a source."""
    return SampleDataLogic().downloadSamples(name)


def install() -> None:
    """Makes ``import SampleData`` work."""
    module = types.ModuleType("SampleData", "Sample data without downloads, made by the test host")
    module.__dict__.update(
        SampleDataLogic=SampleDataLogic,
        SampleDataSource=SampleDataSource,
        downloadSample=download_sample,
        downloadSamples=download_samples,
    )
    sys.modules["SampleData"] = module

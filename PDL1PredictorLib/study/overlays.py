"""Example cases of a study whose models see no picture: their tumors in three planes, for the eye."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import SimpleITK as sitk

from PDL1PredictorLib.cohort.sources import Source
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.views import views_volume
from PDL1PredictorLib.report.pictures import Picture, slice_pictures
from PDL1PredictorLib.study.examples import EACH, surest
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome, Overlay


@dataclass(frozen=True, eq=False)
class Seen:
    """What the pictures of a tumor are drawn from; see `core.results.LesionResult`."""

    views_ct: sitk.Image
    tumor_image: sitk.Image
    ring_image: sitk.Image
    center_lps_mm: tuple[float, float, float]


def overlays(
    sources: Sequence[Source], endpoints: Mapping[str, EndpointOutcome], regions: RegionSettings, each: int = EACH
) -> tuple[Overlay, ...]:
    """The nearest and the farthest answers of every number whose lead model is a network over features.

    The cases are read once more.

    Args:
        sources: Of the cases; one without a source is not drawn.
        endpoints: What was found.
        regions: How tumor and ring are made.
        each: Cases of each kind, at most.
    """
    by_name = {source.name: source for source in sources}
    return tuple(one for found in endpoints.values() for one in _of_endpoint(by_name, found, regions, each))


def _of_endpoint(
    sources: Mapping[str, Source], found: EndpointOutcome, regions: RegionSettings, each: int
) -> Iterator[Overlay]:
    model = found.models[found.lead]
    if found.insight is None or not isinstance(model, NumberModelOutcome):
        return
    for index in surest(found, each):
        name = found.cases[index]
        if name not in sources:
            continue
        value, low, high = (float(part[index]) for part in (model.value, model.low, model.high))
        pictures = planes_of(sources[name], regions)
        yield Overlay(found.key, name, float(found.labels[index]), value, low, high, pictures)


def planes_of(source: Source, settings: RegionSettings) -> tuple[Picture, ...]:
    """The tumor in three planes, with its outline and that of the ring."""
    case = source.load().case
    regions = make_regions(case, settings)
    center = _center(case.tumor)
    views = views_volume(case, center, settings)
    return slice_pictures(Seen(views, regions.tumor, regions.ring, center))


def _center(mask: sitk.Image) -> tuple[float, float, float]:
    """Centroid of a mask in patient space, mm."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(sitk.Cast(mask > 0, sitk.sitkUInt8))
    x, y, z = shape.GetCentroid(1)
    return float(x), float(y), float(z)

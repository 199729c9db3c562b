"""A few plain measures of a case by which one sees that it is unlike others, whatever a model looks at.

They are the same for every model, so that what no selected feature notices (a shifted scale, a coarse series, an
outline full of air) is noticed all the same.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SanityMeasure:
    """One measure.

    Attributes:
        name: In files.
        words: For people.
        floor: Least standard deviation that a training cohort is taken to have: cohorts are cropped, resampled or
            selected so that they hardly vary in what is harmless for the next case.
    """

    name: str
    words: str
    floor: float


SANITY: tuple[SanityMeasure, ...] = (
    SanityMeasure("tumor_mean_hu", "mean density of the tumor", 20.0),
    SanityMeasure("tumor_sd_hu", "spread of density in the tumor", 10.0),
    SanityMeasure("tumor_dense_hu", "density of the tumor's densest tenth", 20.0),
    SanityMeasure("ring_mean_hu", "mean density of the ring", 20.0),
    SanityMeasure("ring_sd_hu", "spread of density in the ring", 10.0),
    SanityMeasure("ring_dark_hu", "density of the ring's darkest tenth", 20.0),
    SanityMeasure("log_volume_ml", "volume of the tumor", 0.2),
    SanityMeasure("log_in_plane_mm", "pixel size of the CT", 0.25),
    SanityMeasure("log_between_mm", "slice distance of the CT", 0.35),
    SanityMeasure("air_share", "air inside the outline", 0.02),
    SanityMeasure("log_noise_hu", "noise of the picture", 0.2),
)
SANITY_NAMES = tuple(measure.name for measure in SANITY)

"""What is made and measured of every case of a cohort; it decides which cached cases are good."""

from dataclasses import dataclass, replace
from typing import Any

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.radiomics.settings import FeatureSettings


@dataclass(frozen=True)
class Preparation:
    """Which blocks a case is turned into, and how.

    Attributes:
        needs: Which.
        regions: How the regions are made.
        features: How they are measured; None where no features are needed.
        moved: Whether the features are also measured as other readers and scanners would have given the case.

    Raises:
        InputError: Features are needed and not described.
    """

    needs: Needs
    regions: RegionSettings
    features: FeatureSettings | None
    moved: bool = False

    def __post_init__(self) -> None:
        if self.needs.features and self.features is None:
            raise InputError("Features are needed: say how they are measured.")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of the features that are measured, in order."""
        return self.features.feature_names() if self.needs.features and self.features is not None else ()

    @property
    def margin_mm(self) -> float:
        """What the filters must see around the regions, in mm."""
        return 0.0 if self.features is None else self.features.margin_at(self.regions.spacing_mm)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; clinical values are not among them: they are those of the table as it is now."""
        features = None if self.features is None else self.features.to_dict()
        return {
            "needs": replace(self.needs, clinical=(), declared=()).to_dict(),
            "regions": self.regions.to_dict(),
            "features": features,
            "moved": self.moved,
        }

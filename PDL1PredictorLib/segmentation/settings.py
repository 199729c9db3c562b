"""Everything that decides how a tumor is found from a click."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassicalSettings:
    """Of the surface about the click; tuned on training nodules and tumors (docs/segment.md).

    Attributes:
        coarse_mm: Spacing of the first look.
        search_mm: How far from the click it reaches, in mm; no tumor is larger.
        least_mm: Smallest radius.
        largest_mm: Largest radius.
        radii: Number of radii that are tried.
        snap_mm: How far from the click denser tissue is sought.
        shell_mm: Thickness, at least, of what is looked at beyond a surface.
        shell_share: Thickness as a share of the radius.
        inside_share: Share of the radius of foreign tissue inside that costs as much as no edge at all.
        stiffness: Cost of a step between neighbors.
        first_exit: Quantile, over the directions, of the way to where the tissue first ends.
        most_exits: Largest radius, as a multiple of that way: beyond a wall there is another edge, which is not meant.
        pull: Cost of a radius beyond that way: times the square of the logarithm of how far beyond.
        pull_from_mm: Smaller radii are not pulled: in a wall or the mediastinum only large surfaces run away.
        beyond_share: How far the tumor may stick out of the surface, as a share of its radius.
        beyond_mm: The same in mm, at most.
        opening_share: Radius of the opening that takes vessels away, as a share of the tumor's.
        opening_mm: The same in mm, at most.
        edge_share: Where between lung and tumor the edge lies, 0 to 1.
        margin_mm: How far the contour runs outside the edge, as readers draw it.
        fine_steps: Points along the radius in the second look.
    """

    coarse_mm: float = 1.5
    search_mm: float = 75.0
    least_mm: float = 1.5
    largest_mm: float = 65.0
    radii: int = 64
    snap_mm: float = 2.5
    shell_mm: float = 2.0
    shell_share: float = 0.25
    inside_share: float = 0.6
    stiffness: float = 0.01
    first_exit: float = 0.5
    most_exits: float = 2.5
    pull: float = 1.0
    pull_from_mm: float = 35.0
    beyond_share: float = 0.6
    beyond_mm: float = 8.0
    opening_share: float = 0.15
    opening_mm: float = 1.5
    edge_share: float = 0.28
    margin_mm: float = 0.1
    fine_steps: int = 12


CLASSICAL = ClassicalSettings()

"""The best closed surface about a point: one radius in each direction, chosen together.

Each direction has a cost for every radius; neighbors may differ by `MOST_STEPS` radii at most, and a difference costs
its square. Where the picture says nothing, as at a chest wall, neighbors decide, so that it runs on as it came.
The least total is sought by passing messages along the edges (min-sum).

Source: the surface as one radius a direction, with a bounded difference between neighbors: Li, Wu, Chen, Sonka 2006,
doi 10.1109/TPAMI.2006.19. They find the least total by a minimum cut; messages come near it in hundredths of a second.
"""

import numpy as np

from PDL1PredictorLib.segmentation.sphere import Sphere

MOST_STEPS = 3
ROUNDS = 20
DAMPING = 0.3  # share of the earlier message that is kept: without, two answers can take turns


def best_surface(costs: np.ndarray, sphere: Sphere, stiffness: float) -> np.ndarray:
    """Which radius each direction gets.

    Args:
        costs: Of each radius in each direction, (n, radii), finite.
        sphere: The n directions.
        stiffness: Cost of a difference of one step between neighbors.

    Returns:
        Index of the radius, (n,).
    """
    unary = costs.astype(np.float32)
    messages: np.ndarray = np.zeros((len(sphere.first), unary.shape[1]), np.float32)
    for _ in range(ROUNDS):
        belief = unary + sphere.incoming @ messages
        sent = _spread(belief[sphere.first] - messages[sphere.back], stiffness)
        sent -= sent.min(axis=1, keepdims=True)
        messages = np.asarray(DAMPING * messages + (1 - DAMPING) * sent, np.float32)
    return np.asarray((unary + sphere.incoming @ messages).argmin(axis=1))


def _spread(held: np.ndarray, stiffness: float) -> np.ndarray:
    """The least cost of each radius of a neighbor, whatever this one's radius within the steps allowed."""
    best = held.copy()
    for step in range(1, MOST_STEPS + 1):
        price = np.float32(stiffness * step * step)
        np.minimum(best[:, step:], held[:, :-step] + price, out=best[:, step:])
        np.minimum(best[:, :-step], held[:, step:] + price, out=best[:, :-step])
    return best

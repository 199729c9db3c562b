"""The rectangle about the tumor on a slice, as a network sees it, by numpy; and the way back from a map over it."""

import numpy as np

from PDL1PredictorLib.core.settings import FrameSettings


def framed(hu: np.ndarray, tumor: np.ndarray, frame: FrameSettings) -> tuple[np.ndarray, np.ndarray]:
    """Cut the rectangle out of a slice and bring it to the frame's pixels, bilinear; the contour is cut at one half.

    Args:
        hu: (h, w) in HU.
        tumor: (h, w), 1 inside the contour; a slice without tumor is shown whole.
        frame: How.

    Returns:
        32-bit HU and contour (0 or 1), both (pixels, pixels).
    """
    down, across = _weights(tumor, frame)
    shown = (down @ hu.astype(np.float64) @ across.T).astype(np.float32)
    inside = down @ (tumor > 0).astype(np.float64) @ across.T >= 0.5
    return shown, inside.astype(np.float32)


def unframed(values: np.ndarray, tumor: np.ndarray, frame: FrameSettings) -> np.ndarray:
    """A map over the rectangle as a map over the whole slice, 0 outside the rectangle.

    Args:
        values: (a, b), any size.
        tumor: (h, w) of the slice that was framed.
        frame: As it was framed.

    Returns:
        (h, w), bilinear between the centers of the map's cells.
    """
    found = np.zeros(tumor.shape)
    (top, bottom), (left, right) = _rectangle(tumor, frame)
    rows, columns = np.arange(int(np.ceil(top)), int(np.floor(bottom))), np.arange(int(np.ceil(left)), int(right))
    rows, columns = rows[(rows >= 0) & (rows < tumor.shape[0])], columns[(columns >= 0) & (columns < tumor.shape[1])]
    down = _linear((rows + 0.5 - top) / (bottom - top) * values.shape[0] - 0.5, values.shape[0])
    across = _linear((columns + 0.5 - left) / (right - left) * values.shape[1] - 0.5, values.shape[1])
    found[np.ix_(rows, columns)] = down @ values.astype(np.float64) @ across.T
    return found


def rectangle_of(tumor: np.ndarray, frame: FrameSettings) -> np.ndarray:
    """Pixels of a slice on which a map over the rectangle has a value: bool (h, w).

    Args:
        tumor: (h, w) of the slice that was framed.
        frame: As it was framed.
    """
    return unframed(np.ones((1, 1)), tumor, frame) > 0


def _weights(tumor: np.ndarray, frame: FrameSettings) -> tuple[np.ndarray, np.ndarray]:
    """What each pixel of the slice counts for each of the frame, by rows and by columns."""
    steps = (np.arange(frame.pixels) + 0.5) / frame.pixels
    return tuple(  # type: ignore[return-value]  # two of them
        _linear(low + steps * (high - low) - 0.5, size)
        for (low, high), size in zip(_rectangle(tumor, frame), tumor.shape, strict=True)
    )


def _rectangle(tumor: np.ndarray, frame: FrameSettings) -> tuple[tuple[float, float], tuple[float, float]]:
    """Edges in pixels of the slice, of rows and of columns; the rectangle may leave the slice."""
    inside = np.argwhere(tumor > 0)
    if not len(inside):
        return (0.0, float(tumor.shape[0])), (0.0, float(tumor.shape[1]))
    low, high = inside.min(axis=0) - frame.margin_pixels, inside.max(axis=0) + 1 + frame.margin_pixels
    if frame.keep_aspect:
        middle, half = (low + high) / 2, (high - low).max() / 2
        low, high = middle - half, middle + half
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _linear(positions: np.ndarray, size: int) -> np.ndarray:
    """(m, size) weights of linear interpolation; beyond the ends the last value goes on."""
    inside = np.clip(positions, 0, size - 1)
    below = np.minimum(inside.astype(int), max(size - 2, 0))
    share = inside - below
    found = np.zeros((len(positions), size))
    found[np.arange(len(positions)), below] = 1 - share
    found[np.arange(len(positions)), np.minimum(below + 1, size - 1)] += share
    return found

"""What each feature moved a network's answer by, for many rows at once: integrated gradients from the mean row.

Source: Sundararajan et al. 2017, arXiv 1703.01365, equation 3.
"""

import numpy as np
import torch

from PDL1PredictorLib.networks.tabular import TableModule

STEPS = 24  # points of Gauss and Legendre on the path; the shares then add up to the answer within a hundredth
ROWS = 16  # at once, each with all its points


def table_shares(network: TableModule, table: np.ndarray, output: int, steps: int = STEPS) -> np.ndarray:
    """Shares of answer(row) - answer(0), where 0 is the mean of the training cases.

    Args:
        network: In evaluation mode, on the CPU.
        table: Standardized features, (n, t).
        output: Which of its answers.
        steps: Points on the path, >= 1.

    Returns:
        (n, t), in the answer's unit.
    """
    places, weights = np.polynomial.legendre.leggauss(steps)
    at = torch.from_numpy(((places + 1) / 2).astype(np.float32))[:, None, None]
    share = torch.from_numpy((weights / 2).astype(np.float32))[:, None, None]
    found = [np.zeros((0, table.shape[1]))]
    for part in torch.split(torch.from_numpy(np.asarray(table, np.float32)), ROWS):
        with torch.enable_grad():
            path = (at * part).reshape(-1, part.shape[1]).requires_grad_()
            (slopes,) = torch.autograd.grad(network(None, path).answers[:, output].sum(), path)
        mean = (slopes.reshape(steps, *part.shape) * share).sum(dim=0)
        found.append((mean * part).double().numpy())
    return np.concatenate(found)

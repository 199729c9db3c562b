"""What networks of volumes take on this processor: seconds of its time a case, and of an epoch of a study of 600.

    python Testing/benchmarks/bench_volume_network.py

Says the processor time of one thread, which other work on the machine changes little.
"""

import time
from dataclasses import replace

import numpy as np
import torch

from PDL1PredictorLib.learning.deep.descent import laid_out
from PDL1PredictorLib.learning.deep.volume.cases import Volumes, moved_channels
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.learning.deep.volume.training import FAST, answers_of, build_network, step
from PDL1PredictorLib.recipes.responder3d import CUBE, OVER, WITHIN

CASES, EPOCH = 8, 418  # at once; training cases of 600


def made_up(voxels: int, with_pet: bool, pool: str) -> Volumes:
    rng = np.random.default_rng(0)
    shape = (CASES, voxels, voxels, voxels)
    hu, suv = (rng.integers(low, high, shape).astype(np.int16) for low, high in ((-1000, 200), (0, 900)))
    labels = (np.arange(CASES) % 2 * 1.0)[:, None]
    return Volumes(hu, hu > 0, suv if with_pet else None, np.ones(CASES, bool), labels, pool)


def seconds_a_case(voxels: int, with_pet: bool, how: VolumeTraining) -> tuple[float, float]:
    """Of a training step with its moves, and of an answer; the better of three."""
    cases, rows = made_up(voxels, with_pet, how.pool), np.arange(CASES)
    network = laid_out(build_network(cases, rows, how), FAST).train()
    optimizer = torch.optim.AdamW(network.parameters())
    labels = torch.from_numpy(cases.labels.astype(np.float32))
    taken, answered = [], []
    for _ in range(3):
        started = time.process_time()
        channels = moved_channels(cases, rows, how, np.random.default_rng(1), "cpu")
        step(network.train(), optimizer, channels, labels, how.cpu_bfloat16)
        taken.append(time.process_time() - started)
        started = time.process_time()
        answers_of(network, cases, rows)
        answered.append(time.process_time() - started)
    return min(taken) / CASES, min(answered) / CASES


def main() -> None:
    torch.set_num_threads(1)
    print("| voxels | pooled over | bits | PET | training, s a case | answer, s a case | an epoch of 418, s |")
    print("|---|---|---|---|---|---|---|")
    for voxels, settings in ((64, OVER), (48, OVER), (CUBE.voxels, WITHIN)):
        for sixteen in (False, True):
            how = replace(settings, cpu_bfloat16=sixteen)
            for with_pet in (False, True):
                train, answer = seconds_a_case(voxels, with_pet, how)
                told = (voxels, how.pool, 16 if sixteen else 32, "yes" if with_pet else "no")
                print(f"| {' | '.join(map(str, told))} | {train:.3f} | {answer:.3f} | {train * EPOCH:.0f} |")


if __name__ == "__main__":
    main()

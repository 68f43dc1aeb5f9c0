"""Writes src/base/__fixtures__/randn.json: what torch.randn draws from CPU generators.

Run: python tools/oracle/randn.py   (needs torch)
Not named random.py: that would hide the standard module from every script beside it.
"""

import base64
import json
import pathlib

import numpy
import torch

OUT = pathlib.Path(__file__).parents[2] / "src/base/__fixtures__/randn.json"
SEEDS = [0, 42, 2**32 - 1]
LENGTHS = [1, 15, 16, 17, 100000]


def encode(values: torch.Tensor) -> str:
    return base64.b64encode(values.numpy().astype("<f4").tobytes()).decode()


def draw(seed: int, length: int) -> dict:
    values = torch.randn(length, generator=torch.Generator("cpu").manual_seed(seed))
    case = {"seed": seed, "length": length}
    if length <= 64:
        return case | {"values": encode(values)}
    exact = values.numpy().astype(numpy.float64)
    # the largest Box-Muller radii, where rounding of the angle shows most
    squares = (exact[: length // 16 * 16].reshape(-1, 2, 8) ** 2).sum(axis=1)
    worst = numpy.argsort(squares.ravel())[-64:]
    index = numpy.sort(numpy.concatenate([worst // 8 * 16 + worst % 8, worst // 8 * 16 + worst % 8 + 8]))
    return case | {
        "largestIndex": index.tolist(),
        "largest": encode(values[torch.from_numpy(index)]),
        "first": encode(values[:32]),
        "every997": encode(values[::997].contiguous()),
        "last": encode(values[-32:]),
        "sum": float(exact.sum()),
        "sumOfSquares": float((exact**2).sum()),
    }


def successive(seed: int, lengths: list[int]) -> dict:
    generator = torch.Generator("cpu").manual_seed(seed)
    return {"seed": seed, "calls": [encode(torch.randn(n, generator=generator)) for n in lengths], "lengths": lengths}


fixture = {
    "script": "tools/oracle/randn.py",
    "versions": {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()},
    "draws": [draw(seed, length) for seed in SEEDS for length in LENGTHS],
    # only the low 32 bits of a longer seed count
    "longSeeds": [draw(seed, 17) for seed in (2**32 + 42, 2**40 + 7)],
    # odd scalar draws leave a cached second normal that block draws do not touch
    "successive": [successive(3, [3, 16, 2, 40, 17, 1, 1, 5, 700]), successive(9, [64, 64, 64])],
}
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(fixture) + "\n")

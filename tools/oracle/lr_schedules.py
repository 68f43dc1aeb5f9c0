"""Writes src/training/__fixtures__/lr-schedules.json: the learning rate of each step in diffusers' schedules.

Run: python tools/oracle/lr_schedules.py
"""

import torch
from common import TRAINING, save
from diffusers.optimization import get_constant_schedule, get_constant_schedule_with_warmup
from diffusers.optimization import get_cosine_schedule_with_warmup

RATE, STEPS, WARMUP = 1e-3, 50, 5


def rates(make) -> list[float]:
    """Entry i is the rate that step i is taken with."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    schedule = make(optimizer)
    values = []
    for _ in range(STEPS):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return values


save(
    TRAINING,
    "lr-schedules.json",
    config={"learning_rate": RATE, "steps": STEPS, "warmup": WARMUP},
    inputs={},
    outputs={
        "constant": rates(get_constant_schedule),
        "constant_with_warmup": rates(lambda o: get_constant_schedule_with_warmup(o, WARMUP)),
        "cosine": rates(lambda o: get_cosine_schedule_with_warmup(o, 0, STEPS)),
        "cosine_with_warmup": rates(lambda o: get_cosine_schedule_with_warmup(o, WARMUP, STEPS)),
    },
)

"""Writes src/training/__fixtures__/adamw.json: torch.optim.AdamW with clipping on a vector, step by step.

Run: python tools/oracle/adamw.py
"""

import torch
from common import TRAINING, floats, named, randn, save

LENGTH, STEPS, MAX_NORM = 65, 6, 5.0
SETTINGS = dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
SCALES = [1.0, 0.1, 3.0, 1e-6, 0.5, 1.0]  # of the gradients: some are clipped, one is near eps


def state(optimizer: torch.optim.Optimizer, theta: torch.Tensor) -> dict:
    moments = optimizer.state[theta]
    return {"theta": floats(theta), "m": floats(moments["exp_avg"]), "v": floats(moments["exp_avg_sq"])}


theta = torch.nn.Parameter(randn("adamw.theta", [LENGTH]))
optimizer = torch.optim.AdamW([theta], **SETTINGS, foreach=False)
norms, states = [], []
for step in range(STEPS):
    theta.grad = SCALES[step] * randn(f"adamw.gradient.{step}", [LENGTH])
    norms.append(torch.nn.utils.clip_grad_norm_([theta], MAX_NORM, foreach=False).item())
    optimizer.step()
    states.append(state(optimizer, theta))
save(
    TRAINING,
    "adamw.json",
    config=SETTINGS | {"max_norm": MAX_NORM},
    inputs={
        "theta": named("adamw.theta", [LENGTH]),
        "gradients": [named(f"adamw.gradient.{i}", [LENGTH]) for i in range(STEPS)],
        "gradient_scales": SCALES,
    },
    outputs={"gradient_norms": norms, "after_step": states},
)

"""Writes src/diffusion/__fixtures__/{schedules,ddim,euler,guidance}.json from diffusers' own schedulers.

Run: python tools/oracle/schedulers.py   (needs torch, numpy and diffusers; the fake model is in trajectories.py)
"""

import itertools

import numpy
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from trajectories import LATENT, SHAPE, encode, generator, run, write


def ddim_cases():
    predictions = [("epsilon", False), ("v_prediction", False), ("v_prediction", True)]
    for (prediction, zero), spacing, steps, eta in itertools.product(
        predictions, ["leading", "trailing"], [4, 20, 50], [0.0, 0.5]
    ):
        config = LATENT | {
            "prediction_type": prediction,
            "rescale_betas_zero_snr": zero,
            "timestep_spacing": spacing,
        }
        yield run(DDIMScheduler, config, steps, eta, 20)
    others = [
        {"prediction_type": "sample", "timestep_spacing": "linspace"},
        {"prediction_type": "epsilon", "timestep_spacing": "trailing", "set_alpha_to_one": True},
        {"prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2"},
        {"prediction_type": "v_prediction", "beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    ]
    for other, steps in itertools.product(others, [7, 20]):
        yield run(DDIMScheduler, LATENT | other, steps, 1.0, 20)


def euler_cases(kind, predictions, step_counts):
    for (prediction, zero), spacing, steps in itertools.product(
        predictions, ["leading", "trailing", "linspace"], step_counts
    ):
        config = {key: LATENT[key] for key in ("beta_start", "beta_end", "beta_schedule", "steps_offset")} | {
            "prediction_type": prediction,
            "rescale_betas_zero_snr": zero,
            "timestep_spacing": spacing,
        }
        yield run(kind, config, steps, 0.0, 20)


def schedules():
    """The cumulative products of alphas, and DDPM's training targets, for each way of making betas."""
    configs = [
        {},
        LATENT,
        LATENT | {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"},
        {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 500},
    ]
    for config in configs:
        scheduler = DDPMScheduler.from_config(config)
        x0 = torch.randn(SHAPE, generator=generator(1)).repeat(4, 1, 1, 1)
        noise = torch.randn(SHAPE, generator=generator(2)).repeat(4, 1, 1, 1)
        last = scheduler.config.num_train_timesteps - 1
        t = torch.tensor([0, 1, 250, last])
        yield {
            "config": config,
            "alphasCumprod": encode(scheduler.alphas_cumprod),
            "t": t.tolist(),
            "noisy": encode(scheduler.add_noise(x0, noise, t)),
            "velocity": encode(scheduler.get_velocity(x0, noise, t)),
        }


def all_timesteps(kind, spacing: str):
    """For every step count from 1 to 250: [steps, number of timesteps, sum of (i + 1) * t_i]."""
    for steps in range(1, 251):
        scheduler = kind.from_config(LATENT | {"timestep_spacing": spacing})
        scheduler.set_timesteps(steps)
        times = scheduler.timesteps.numpy().astype(numpy.float64)
        # arange's rounding gives some trailing counts one step more, at t = -1, which no model can take
        times = times[:steps]
        yield [steps, float((times * numpy.arange(1, steps + 1)).sum())]


def guidance() -> dict:
    text, uncond = (torch.randn((2, 4, 2, 2), generator=generator(seed)) for seed in (11, 12))
    guided = uncond + 7.5 * (text - uncond)
    return {
        "scale": 7.5,
        "guided": encode(guided),
        "rescaled": [{"rescale": r, "values": encode(rescale_noise_cfg(guided, text, r))} for r in (0.0, 0.7, 1.0)],
    }


write("ddim", {"cases": list(ddim_cases())})
three = [("epsilon", False), ("v_prediction", False), ("v_prediction", True), ("sample", False)]
write(
    "euler",
    {
        "euler": list(euler_cases(EulerDiscreteScheduler, three, [4, 20, 50])),
        "ancestral": list(euler_cases(EulerAncestralDiscreteScheduler, three[:3], [4, 20])),
    },
)
write(
    "schedules",
    {
        "schedules": list(schedules()),
        "timesteps": [
            {"sampler": name, "spacing": spacing, "sums": list(all_timesteps(kind, spacing))}
            for name, kind in (("ddim", DDIMScheduler), ("euler", EulerDiscreteScheduler))
            for spacing in ("leading", "trailing", "linspace")
        ],
    },
)
write("guidance", guidance())

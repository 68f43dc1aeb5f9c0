"""Writes src/diffusion/__fixtures__/{schedules,ddim,euler,guidance}.json from diffusers' own schedulers.

Run: python tools/oracle/schedulers.py   (needs torch, numpy and diffusers)

The model is a fake that the tests repeat: output = 0.3 * input + 0.5 * r + 0.2 * t / 1000, where r is torch.randn of
one generator seeded 1000 that draws once a step. Latents are [1, 4, 2, 2]; the first come from seed 7, step noise from
a generator seeded 500.
"""

import base64
import itertools
import json
import pathlib
import sys

import diffusers
import numpy
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from diffusers.utils.torch_utils import randn_tensor

OUT = pathlib.Path(__file__).parents[2] / "src/diffusion/__fixtures__"
SHAPE = (1, 4, 2, 2)
LATENT = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


def encode(values) -> str:
    return base64.b64encode(numpy.asarray(values).astype("<f4").tobytes()).decode()


def generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def write(name: str, fixture: dict) -> None:
    versions = {"torch": torch.__version__, "diffusers": diffusers.__version__, "numpy": numpy.__version__}
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"script": "tools/oracle/schedulers.py", "versions": versions} | fixture) + "\n"
    assert len(text) < 200_000, (name, len(text))
    (OUT / f"{name}.json").write_text(text)


class Float64Torch:
    """torch, but float32 means float64: Euler's step casts its sample to float32."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


def trajectory(kind, config: dict, steps: int, eta: float, dtype: torch.dtype):
    """Latents after every step and the x0 predictions, each [steps, 16]; alphas and sigmas are float32 in any case."""
    scheduler = kind.from_config(config)
    scheduler.set_timesteps(steps)
    module = sys.modules[kind.__module__]
    if dtype is torch.float64:
        module.torch = Float64Torch()
        for name in ("sigmas", "alphas_cumprod", "final_alpha_cumprod"):
            if hasattr(scheduler, name):
                setattr(scheduler, name, getattr(scheduler, name).double())
    noise, random = generator(500), generator(1000)
    x = torch.randn(SHAPE, generator=generator(7)).to(dtype) * scheduler.init_noise_sigma
    latents, denoised = [], []
    extra = {"eta": eta} if kind is DDIMScheduler else {}
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t)
        output = 0.3 * scaled + 0.5 * torch.randn(SHAPE, generator=random) + 0.2 * float(t) / 1000
        with_noise = {"variance_noise": torch.randn(SHAPE, generator=noise)} if eta > 0 else {"generator": noise}
        if kind is EulerAncestralDiscreteScheduler and dtype is torch.float64:
            module.randn_tensor = lambda shape, **_: torch.randn(shape, generator=noise)  # float32 draws
        result = scheduler.step(output, t, x, **(extra | with_noise))
        x = result.prev_sample
        latents.append(x.flatten().numpy())
        denoised.append(result.pred_original_sample.flatten().numpy())
    module.torch, module.randn_tensor = torch, randn_tensor
    return scheduler, numpy.array(latents), numpy.array(denoised)


def error(actual, expected) -> float:
    """The largest error over the steps, each max abs difference over max abs reference."""
    return float((abs(actual - expected).max(axis=1) / abs(expected).max(axis=1)).max())


def run(kind, config: dict, steps: int, eta: float) -> dict:
    """
    One whole trajectory. Where diffusers' own float32 rounding is above 2e-6 (zero-terminal-SNR Euler starts at sigma
    4096 and loses three digits in its first difference), the same code run in float64 is the reference.
    """
    scheduler, latents, denoised = trajectory(kind, config, steps, eta, torch.float32)
    _, latents64, denoised64 = trajectory(kind, config, steps, eta, torch.float64)
    own = max(error(latents, latents64), error(denoised, denoised64))
    arithmetic = "float64" if own > 2e-6 else "float32"
    if arithmetic == "float64":
        latents, denoised = latents64, denoised64
    return {
        "config": config,
        "steps": steps,
        "eta": eta,
        "initialScale": float(scheduler.init_noise_sigma),
        "timesteps": [float(t) for t in scheduler.timesteps],
        "arithmetic": arithmetic,
        "float32Error": own,
        "trajectory": encode(latents),
    } | ({"denoised": encode(denoised)} if steps <= 20 else {})


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
        yield run(DDIMScheduler, config, steps, eta)
    others = [
        {"prediction_type": "sample", "timestep_spacing": "linspace"},
        {"prediction_type": "epsilon", "timestep_spacing": "trailing", "set_alpha_to_one": True},
        {"prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2"},
        {"prediction_type": "v_prediction", "beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    ]
    for other, steps in itertools.product(others, [7, 20]):
        yield run(DDIMScheduler, LATENT | other, steps, 1.0)


def euler_cases(kind, predictions, step_counts):
    for (prediction, zero), spacing, steps in itertools.product(
        predictions, ["leading", "trailing", "linspace"], step_counts
    ):
        config = {key: LATENT[key] for key in ("beta_start", "beta_end", "beta_schedule", "steps_offset")} | {
            "prediction_type": prediction,
            "rescale_betas_zero_snr": zero,
            "timestep_spacing": spacing,
        }
        yield run(kind, config, steps, 0.0)


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

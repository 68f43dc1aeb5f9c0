"""What the schedulers' fixtures have in common: the fake model, whole trajectories of diffusers' schedulers, and writing.

The model is a fake that the tests repeat: output = 0.3 * input + 0.5 * r + 0.2 * t / 1000, where r is torch.randn of
one generator seeded 1000 that draws once a call. Latents are [1, 4, 2, 2]; the first come from seed 7, step noise from
a generator seeded 500.
"""

import base64
import json
import pathlib
import sys

import diffusers
import numpy
import torch
from diffusers import DDIMScheduler, TCDScheduler
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
    script = f"tools/oracle/{pathlib.Path(sys.argv[0]).name}"
    text = json.dumps({"script": script, "versions": versions} | fixture) + "\n"
    assert len(text) < 200_000, (name, len(text))
    (OUT / f"{name}.json").write_text(text)


class Float64Torch:
    """torch, but float32 means float64: some steps cast their sample to float32."""

    float32 = torch.float64

    def ones(self, *shape, **options):
        return torch.ones(*shape, **({"dtype": torch.float64} | options))

    def __getattr__(self, name):
        return getattr(torch, name)


def fake_model():
    random = generator(1000)
    return lambda x, t: 0.3 * x + 0.5 * torch.randn(SHAPE, generator=random) + 0.2 * float(t) / 1000


def prepare(kind, config: dict, steps: int, dtype: torch.dtype):
    """The scheduler with its timesteps; alphas and sigmas are float32 in any case. Step noise is float32 too."""
    scheduler = kind.from_config(config)
    scheduler.set_timesteps(steps)
    module = sys.modules[kind.__module__]
    module.torch, noise = torch, generator(500)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = lambda shape, **_: randn_tensor(shape, generator=noise, dtype=torch.float32)
    if dtype is torch.float64:
        module.torch = Float64Torch()
        for name in ("sigmas", "alphas_cumprod", "final_alpha_cumprod"):
            if hasattr(scheduler, name):
                setattr(scheduler, name, getattr(scheduler, name).double())
    return scheduler


def prediction(scheduler, result):
    """The x0 that the scheduler predicted in this step; None where it does not say."""
    for name in ("pred_original_sample", "denoised"):
        if hasattr(result, name):
            return getattr(result, name)
    return scheduler.model_outputs[-1] if hasattr(scheduler, "model_outputs") else None


def trajectory(kind, config: dict, steps: int, eta: float, dtype: torch.dtype):
    """Latents after every call and the x0 predictions, each [calls, 16]."""
    scheduler = prepare(kind, config, steps, dtype)
    model = fake_model()
    x = torch.randn(SHAPE, generator=generator(7)).to(dtype) * scheduler.init_noise_sigma
    extra = {"eta": eta} if kind in (DDIMScheduler, TCDScheduler) else {}
    latents, denoised = [], []
    for t in scheduler.timesteps:
        output = model(scheduler.scale_model_input(x, t), t)
        result = scheduler.step(output, t, x, **extra)
        x = result.prev_sample
        latents.append(x.flatten().numpy())
        x0 = prediction(scheduler, result)
        if x0 is not None:
            denoised.append(x0.flatten().numpy())
    sys.modules[kind.__module__].torch = torch
    return scheduler, numpy.array(latents), numpy.array(denoised)


def error(actual, expected) -> float:
    """The largest error over the calls, each max abs difference over max abs reference."""
    return float((abs(actual - expected).max(axis=1) / abs(expected).max(axis=1)).max())


def run(kind, config: dict, steps: int, eta: float = 0.0, most_denoised: int = 4) -> dict:
    """
    One whole trajectory. Where diffusers' own float32 rounding is above 2e-6 (zero-terminal-SNR Euler starts at sigma
    4096 and loses three digits in its first difference), the same code run in float64 is the reference.
    """
    scheduler, latents, denoised = trajectory(kind, config, steps, eta, torch.float32)
    _, latents64, denoised64 = trajectory(kind, config, steps, eta, torch.float64)
    own = error(latents, latents64)
    if len(denoised) > 0:
        own = max(own, error(denoised, denoised64))
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
    } | ({"denoised": encode(denoised)} if steps <= most_denoised and len(denoised) > 0 else {})

"""Writes src/diffusion/__fixtures__/image-to-image.json: diffusers' own image-to-image and inpainting pipelines around a fake model.

Run: python tools/oracle/image_to_image.py   (needs torch, numpy and diffusers; the fake model is in trajectories.py)

The picture is given as latents (seed 3), noise comes from seed 7 and step noise from a generator seeded 500. The mask is
16 x 16 pixels of uniform levels, seed 4, for latents of 2 x 2.
"""

import torch
import trajectories
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    TCDScheduler,
    UniPCMultistepScheduler,
)
from trajectories import LATENT, SHAPE, encode, generator, write

LEVELS = 4  # of the autoencoder: 8 pixels a latent
SAMPLERS = {
    "ddim": (DDIMScheduler, {}),
    "ddpm": (DDPMScheduler, {}),
    "euler": (EulerDiscreteScheduler, {"use_karras_sigmas": True}),
    "euler-ancestral": (EulerAncestralDiscreteScheduler, {}),
    "heun": (HeunDiscreteScheduler, {}),
    "dpmpp-2m": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "dpmpp-2m-sde": (DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": (UniPCMultistepScheduler, {}),
    "pndm": (PNDMScheduler, {"skip_prk_steps": True}),
    "lcm": (LCMScheduler, {}),
    "tcd": (TCDScheduler, {}),
}


class FakeUnet(torch.nn.Module):
    config = type("Config", (), {"in_channels": 4, "time_cond_proj_dim": None, "sample_size": 2})
    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self):
        super().__init__()
        self.model = trajectories.fake_model()

    def forward(self, x, t, **_):
        return (self.model(x, t),)


def pipeline_of(kind, scheduler):
    vae = AutoencoderKL(
        block_out_channels=(4,) * LEVELS,
        norm_num_groups=1,
        down_block_types=("DownEncoderBlock2D",) * LEVELS,
        up_block_types=("UpDecoderBlock2D",) * LEVELS,
    )
    pipe = kind(vae, None, None, FakeUnet(), scheduler, None, None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(kind, name: str, strength: float, steps: int, **inputs) -> dict:
    scheduler_kind, extra = SAMPLERS[name]
    config = LATENT | {"prediction_type": "epsilon"} | extra
    scheduler = trajectories.prepare(scheduler_kind, config, steps, torch.float32)
    latents = []
    pipe = pipeline_of(kind, scheduler)
    pipe(
        prompt_embeds=torch.zeros(1, 1, 1),
        image=torch.randn(SHAPE, generator=generator(3)),
        strength=strength,
        num_inference_steps=steps,
        guidance_scale=1.0,
        generator=generator(7),
        output_type="latent",
        callback_on_step_end=lambda pipe, i, t, values: latents.append(values["latents"].clone()) or {},
        **({"eta": 0.3} if scheduler_kind is TCDScheduler else {}),
        **inputs,
    )
    return {"sampler": name, "config": config, "steps": steps, "strength": strength,
            "trajectory": encode(torch.cat([x.flatten() for x in latents]))}


MASK = torch.rand((1, 1, 16, 16), generator=generator(4))
painted = {"mask_image": MASK, "height": 16, "width": 16, "masked_image_latents": torch.zeros(SHAPE)}
write("image-to-image", {
    "imageToImage": [
        run(StableDiffusionImg2ImgPipeline, name, strength, steps)
        for name in SAMPLERS for strength, steps in ((0.58, 10), (1.0, 4), (0.9, 10), (0.3, 4))
    ],
    "inpainting": [
        run(StableDiffusionInpaintPipeline, name, strength, steps, **painted)
        for name in SAMPLERS for strength, steps in ((0.58, 10), (1.0, 4))
    ],
    "mask": encode(MASK),
    "shrunk": encode(torch.nn.functional.interpolate((MASK >= 0.5).float(), size=(2, 2))),
})

"""Writes src/engine/__fixtures__/pictures.json: whole pictures of diffusers' pipelines with the bundled model, as 8-bit RGB in base64;
and pictures-kl.json: the same of a small seeded UNet and AutoencoderKL behind the bundled text encoder, which start from a posterior.

Run: python tools/oracle/pictures.py
The image-to-image and inpainting pipelines know no guidance rescale, which the bundled model asks for: the UNet applies it here, and
answers both halves alike, so that the pipelines' own guidance changes nothing.
"""

import base64
import json

import diffusers
import numpy
import torch
from common import BUNDLED, exact, full_config, seed_weights, seeded_unet
from configs import KL_F8, UNET_SD1
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from PIL import Image

OUT = BUNDLED.parents[2] / "src/engine/__fixtures__/pictures.json"
GUIDANCE, RESCALE, STEPS, SEED, STRENGTH = 4.0, 0.7, 10, 11, 0.6
BATCH = (SEED, 2**32 - 1, 30)
PROMPT, EDIT = "a photo of a red ball", "a photo of a blue car"
SAMPLERS = {
    "ddim": (diffusers.DDIMScheduler, {}),
    "euler-ancestral": (diffusers.EulerAncestralDiscreteScheduler, {}),
}

base = diffusers.StableDiffusionPipeline.from_pretrained(
    BUNDLED, torch_dtype=torch.float32, safety_checker=None, requires_safety_checker=False
)
base.set_progress_bar_config(disable=True)


class RescaledUnet(torch.nn.Module):
    def __init__(self, unet: torch.nn.Module):
        super().__init__()
        self.unet, self.config, self.dtype, self.device = unet, unet.config, unet.dtype, unet.device

    def forward(self, *inputs, **options):
        plain, text = self.unet(*inputs, **options)[0].chunk(2)
        guided = rescale_noise_cfg(plain + GUIDANCE * (text - plain), text, RESCALE)
        return (torch.cat([guided, guided]),)


def draw(pipeline, prompt: str, seeds=(SEED,), **options) -> Image.Image:
    """The last of a batch, each picture with a generator of its own."""
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    options |= dict(num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generators)
    return pipeline(prompt, num_images_per_prompt=len(seeds), **options).images[-1]


def pipeline(kind: type, scheduler, **others) -> diffusers.DiffusionPipeline:
    parts = base.components | {"scheduler": scheduler} | others
    made = kind(**parts, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    if kind is not diffusers.StableDiffusionPipeline and not others:
        made.unet = RescaledUnet(base.unet)
    return made


def levels(image: Image.Image) -> str:
    return base64.b64encode(numpy.asarray(image.convert("RGB")).tobytes()).decode()


mask = Image.new("L", (64, 64), 0)
mask.paste(255, (24, 16, 56, 48))  # x from 24 to 56, y from 16 to 48
start, cases = None, []  # the wide pictures have latents of 22 x 10, then 11 x 5, then 6 x 3
for name, (scheduler, options) in SAMPLERS.items():
    of = lambda: scheduler.from_config(base.scheduler.config, **options)
    text = draw(pipeline(diffusers.StableDiffusionPipeline, of()), PROMPT, guidance_rescale=RESCALE)
    start = start or text
    wide = draw(pipeline(diffusers.StableDiffusionPipeline, of()), PROMPT, guidance_rescale=RESCALE, width=88, height=40)
    batch = draw(pipeline(diffusers.StableDiffusionPipeline, of()), PROMPT, BATCH, guidance_rescale=RESCALE)
    edit = draw(pipeline(diffusers.StableDiffusionImg2ImgPipeline, of()), EDIT, image=start, strength=STRENGTH)
    paint = pipeline(diffusers.StableDiffusionInpaintPipeline, of())
    edits = draw(pipeline(diffusers.StableDiffusionImg2ImgPipeline, of()), EDIT, BATCH, image=start, strength=STRENGTH)
    part = draw(paint, EDIT, image=start, mask_image=mask, strength=STRENGTH, width=64, height=64)
    whole = draw(paint, EDIT, image=start, mask_image=mask, strength=1.0, width=64, height=64)
    cases += [
        {"sampler": name, "kind": "text", "picture": levels(text)},
        {"sampler": name, "kind": "wide", "picture": levels(wide)},
        {"sampler": name, "kind": "image", "strength": STRENGTH, "picture": levels(edit)},
        {"sampler": name, "kind": "mask", "strength": STRENGTH, "picture": levels(part)},
        {"sampler": name, "kind": "mask", "strength": 1, "picture": levels(whole)},
        {"sampler": name, "kind": "text", "seeds": BATCH, "picture": levels(batch)},
        {"sampler": name, "kind": "image", "strength": STRENGTH, "seeds": BATCH, "picture": levels(edits)},
    ]
OUT.parent.mkdir(exist_ok=True)
settings = {"prompt": PROMPT, "edit": EDIT, "steps": STEPS, "seed": SEED, "guidance": GUIDANCE}
OUT.write_text(json.dumps({"diffusers": diffusers.__version__, **settings, "cases": cases}) + "\n")

kl = exact(seed_weights(diffusers.AutoencoderKL(**KL_F8)))
small = seeded_unet(UNET_SD1 | dict(cross_attention_dim=base.unet.config.cross_attention_dim))
y, x, channel = numpy.mgrid[:64, :64, :3]
start = Image.fromarray(((4 * x + 2 * y + 60 * channel) % 256).astype("uint8"))
cases = []
for name, (scheduler, options) in SAMPLERS.items():
    of = lambda kind: pipeline(kind, scheduler.from_config(base.scheduler.config, **options), unet=small, vae=kl)
    given = dict(image=start, strength=STRENGTH)
    edits = draw(of(diffusers.StableDiffusionImg2ImgPipeline), EDIT, BATCH[::2], **given)
    part = draw(of(diffusers.StableDiffusionInpaintPipeline), EDIT, mask_image=mask, width=64, height=64, **given)
    cases += [
        {"sampler": name, "kind": "image", "strength": STRENGTH, "seeds": BATCH[::2], "picture": levels(edits)},
        {"sampler": name, "kind": "mask", "strength": STRENGTH, "picture": levels(part)},
    ]
configs = {"unet": full_config(small), "vae": full_config(kl)}
out = OUT.with_name("pictures-kl.json")
out.write_text(json.dumps({"diffusers": diffusers.__version__, **settings, "configs": configs, "cases": cases}) + "\n")

"""The oracle's half of tools/full-size/parity.mjs, which calls it: one model at its full width with random weights, and what it answers.

Run: python tools/oracle/full_width.py KIND FOLDER
FOLDER has config.json, with what the model's own has. The model is written to FOLDER/model as diffusers writes it, with PyTorch's
default initialisation of a fixed seed; reference.safetensors gets the inputs ("in.…") and what PyTorch makes of them ("out.…"), in
float32 on the CPU. reference.json gets the versions and whatever else the comparison has to know.
"""

import json
import os
import pathlib
import shutil
import sys

import diffusers
import numpy
import peft
import torch
import transformers
from adapters import ATTENTION, add_lora
from common import text_prefix
from PIL import Image
from safetensors.torch import save_file

KIND, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
MODEL = FOLDER / "model"
CONFIG = json.loads((FOLDER / "config.json").read_text())
TIMESTEP = 601

torch.set_num_threads(os.cpu_count())
torch.manual_seed(20)  # weights, then inputs


def save(inputs: dict, outputs: dict, **notes) -> None:
    tensors = {f"in.{name}": x for name, x in inputs.items()} | {f"out.{name}": x for name, x in outputs.items()}
    save_file({name: x.detach().contiguous() for name, x in tensors.items()}, FOLDER / "reference.safetensors")
    versions = {m.__name__: m.__version__ for m in (torch, diffusers, transformers, peft)}
    (FOLDER / "reference.json").write_text(json.dumps({"versions": versions, **notes}))


def unet_of(config: dict) -> torch.nn.Module:
    """A UNet that answers noise with as much noise, as a trained one does: a trajectory then stays where real ones are."""
    unet = diffusers.UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
    sample, context = torch.randn(1, unet.config.in_channels, 32, 32), torch.randn(1, 77, unet.config.cross_attention_dim)
    standardise(unet.conv_out, unet(sample, TIMESTEP, context).sample, 1)
    return unet


def vae_of(config: dict) -> torch.nn.Module:
    """An autoencoder whose pictures have contrast, and whose latents are as large as those of a trained one."""
    vae = diffusers.AutoencoderKL.from_config(config).eval().requires_grad_(False)
    factor = vae.config.scaling_factor
    standardise(vae.decoder.conv_out, vae.decode(torch.randn(1, 4, 32, 32) / factor).sample, 0.5)
    standardise(vae.quant_conv, vae.encode(torch.randn(1, 3, 256, 256)).latent_dist.mean, 1 / factor)
    return vae


@torch.no_grad()
def standardise(layer: torch.nn.Module, answer: torch.Tensor, deviation: float) -> None:
    """Scales and moves what the model's last layer gives, so that what was `answer` has this deviation and no mean in any channel."""
    n = answer.shape[1]  # an encoder's last layer gives variances too
    scale = deviation / answer.std()
    layer.weight[:n] *= scale
    layer.bias[:n] = scale * (layer.bias[:n] - answer.mean(dim=(0, 2, 3)))


@torch.no_grad()
def write_unet() -> None:
    unet = unet_of(CONFIG)
    side, channels = unet.config.sample_size, unet.config.in_channels
    inputs = {"sample": torch.randn(1, channels, side, side), "context": torch.randn(1, 77, unet.config.cross_attention_dim)}
    if unet.config.time_cond_proj_dim:
        inputs["timeCondition"] = torch.randn(1, unet.config.time_cond_proj_dim)
    answer = unet(inputs["sample"], TIMESTEP, inputs["context"], timestep_cond=inputs.get("timeCondition")).sample
    unet.save_pretrained(MODEL)
    save(inputs, {"prediction": answer}, timestep=TIMESTEP)


@torch.no_grad()
def write_text() -> None:
    """Of OpenCLIP's encoder the file has the 24th layer too: what Stable Diffusion 2 takes is the state before it, behind the last norm."""
    is_open_clip = CONFIG["hidden_act"] == "gelu"
    layers = CONFIG["num_hidden_layers"] + is_open_clip
    model = transformers.CLIPTextModel(transformers.CLIPTextConfig(**CONFIG | {"num_hidden_layers": layers})).eval()
    ids = torch.randint(0, CONFIG["vocab_size"], (2, CONFIG["max_position_embeddings"]))
    states = model(ids, output_hidden_states=True).hidden_states
    norm = getattr(model, "text_model", model).final_layer_norm
    model.save_pretrained(MODEL)
    save({"ids": ids.int()}, {"context": norm(states[-2] if is_open_clip else states[-1])}, prefix=text_prefix(model))


@torch.no_grad()
def write_vae() -> None:
    vae = vae_of(CONFIG)
    factor = vae.config.scaling_factor
    inputs = {"latents": torch.randn(1, 4, 64, 64), "picture": torch.rand(1, 3, 512, 512) * 2 - 1, "wide": torch.randn(1, 4, 64, 80)}
    posterior = vae.encode(inputs["picture"]).latent_dist
    outputs = {
        "picture": vae.decode(inputs["latents"] / factor).sample,
        "mean": posterior.mean * factor,
        "deviation": posterior.std * factor,
    }
    vae.enable_tiling()
    vae.tile_latent_min_size, vae.tile_sample_min_size = 64, 512
    outputs["tiled"] = vae.decode(inputs["wide"] / factor).sample
    vae.save_pretrained(MODEL)
    save(inputs, outputs)


@torch.no_grad()
def write_tiny() -> None:
    vae = diffusers.AutoencoderTiny.from_config(CONFIG).eval().requires_grad_(False)
    standardise(vae.decoder.layers[-1], vae.decode(torch.randn(1, 4, 32, 32)).sample, 0.5)
    standardise(vae.encoder.layers[-1], vae.encode(torch.randn(1, 3, 256, 256)).latents, 1)
    inputs = {"latents": torch.randn(1, 4, 64, 64), "picture": torch.rand(1, 3, 512, 512) * 2 - 1}
    factor = vae.config.scaling_factor
    outputs = {"picture": vae.decode(inputs["latents"] / factor).sample, "mean": vae.encode(inputs["picture"]).latents * factor}
    vae.save_pretrained(MODEL)
    save(inputs, outputs)


def write_gradient() -> None:
    """The gradient of every matrix of rank-4 adapters on the attention layers."""
    unet = unet_of(CONFIG["unet"])
    unet.save_pretrained(MODEL)
    adapters = add_lora(unet, ATTENTION, 4, 4)
    matrices = {name: matrix for adapter in adapters for name, matrix in adapter.matrices()}
    for name, matrix in matrices.items():
        torch.nn.init.normal_(matrix, std=0.25 if "lora_A" in name else 0.02)
    side = CONFIG["side"]
    shape = (1, unet.config.in_channels, side, side)
    inputs = {"sample": torch.randn(shape), "target": torch.randn(shape), "context": torch.randn(1, 77, unet.config.cross_attention_dim)}
    loss = torch.nn.functional.mse_loss(unet(inputs["sample"], TIMESTEP, inputs["context"]).sample, inputs["target"])
    gradients = torch.autograd.grad(loss, matrices.values())
    save(inputs | matrices, {"loss": loss.reshape(1)} | dict(zip(matrices, gradients)), timestep=TIMESTEP)


def write_pictures() -> None:
    """A whole pipeline: pictures from text by two samplers, from a picture, and within a mask."""
    base = diffusers.StableDiffusionPipeline(
        vae=vae_of(CONFIG["vae"]),
        text_encoder=transformers.CLIPTextModel(transformers.CLIPTextConfig(**CONFIG["text_encoder"])).eval(),
        tokenizer=transformers.CLIPTokenizer.from_pretrained(CONFIG["tokenizer"]),
        unet=unet_of(CONFIG["unet"]),
        scheduler=diffusers.DDIMScheduler.from_config(CONFIG["scheduler"]),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    base.save_pretrained(MODEL)
    for file in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copy(pathlib.Path(CONFIG["tokenizer"]) / file, MODEL / "tokenizer" / file)  # as the published models have it

    settings = {"prompt": "a photo of a red ball on the beach", "negativePrompt": "blurry", "steps": 3, "seed": 11, "guidance": 7.5}
    side = CONFIG["side"]
    schedulers = {"ddim": diffusers.DDIMScheduler, "dpmpp-2m": diffusers.DPMSolverMultistepScheduler}
    drawn, cases = {}, []

    def draw(name: str, kind: type, sampler: str, **options) -> Image.Image:
        scheduler = schedulers[sampler].from_pretrained(MODEL, subfolder="scheduler")
        pipeline = kind(**base.components | {"scheduler": scheduler}, requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline(
            settings["prompt"],
            negative_prompt=settings["negativePrompt"],
            num_inference_steps=settings["steps"],
            guidance_scale=settings["guidance"],
            generator=torch.Generator("cpu").manual_seed(settings["seed"]),
            **options,
        ).images[0]
        drawn[name] = torch.from_numpy(numpy.asarray(picture.convert("RGB")).copy())
        cases.append({"name": name, "sampler": sampler, "strength": options.get("strength"), "masked": "mask_image" in options})
        return picture

    size = {"width": side, "height": side}
    start = draw("ddim", diffusers.StableDiffusionPipeline, "ddim", **size)
    draw("dpmpp-2m", diffusers.StableDiffusionPipeline, "dpmpp-2m", **size)
    draw("image-to-image", diffusers.StableDiffusionImg2ImgPipeline, "ddim", image=start, strength=0.7)
    mask = Image.new("L", (side, side), 0)
    mask.paste(255, (side // 4, side // 8, 3 * side // 4, side // 2))
    draw("inpainting", diffusers.StableDiffusionInpaintPipeline, "dpmpp-2m", image=start, mask_image=mask, strength=0.7, **size)
    save({"mask": torch.from_numpy(numpy.asarray(mask).copy())}, drawn, **settings, cases=cases)


{
    "unet": write_unet,
    "text": write_text,
    "vae": write_vae,
    "tiny": write_tiny,
    "gradient": write_gradient,
    "pictures": write_pictures,
}[KIND]()

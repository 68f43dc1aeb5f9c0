"""Writes src/models/__fixtures__/vae-*.json: latents and pictures of diffusers' AutoencoderTiny and AutoencoderKL.

Run: python tools/oracle/autoencoders.py
Pictures are in [-1, 1] (the inputs here are plain normals, which the models take as well), outputs are not clamped.
Around the models, diffusers' pipelines and training scripts do
    latents = (encoded - shift_factor) * scaling_factor          encoded: AutoencoderTiny's latents, or mean + exp(logvar / 2) * noise
    picture = (decode(latents / scaling_factor + shift_factor) / 2 + 0.5).clamp(0, 1)
(StableDiffusionPipeline leaves shift_factor out: it is 0 or absent in every model of this family.) None of this is in the numbers.
"""

import diffusers
import torch
from common import BUNDLED, MODELS, bundled_weights, exact, floats, full_config, named, read_floats, save, seed_weights
from configs import KL_F2, KL_F4, KL_F8, TAESD, TINY_F4, TINY_F8


def write(name: str, model: torch.nn.Module, weights, side: int, reduction: int) -> None:
    inputs = {
        "picture": named(f"vae-{name}.picture", [2, 3, side, side]),
        "latents": named(f"vae-{name}.latents", [2, 4, side // reduction, side // reduction]),
    }
    with torch.no_grad():
        encoded = model.encode(read_floats(inputs["picture"]))
        outputs = {"picture": floats(model.decode(read_floats(inputs["latents"])).sample)}
    if hasattr(encoded, "latents"):
        outputs["latents"] = floats(encoded.latents)
    else:
        # logvar as the distribution has it, clamped to [-30, 20]
        outputs |= {"mean": floats(encoded.latent_dist.mean), "logvar": floats(encoded.latent_dist.logvar)}
    save(MODELS, f"vae-{name}.json", weights=weights, config=full_config(model), inputs=inputs, outputs=outputs)


def tiny(config: dict) -> torch.nn.Module:
    return seed_weights(diffusers.AutoencoderTiny(**config))


def kl(config: dict) -> torch.nn.Module:
    return exact(seed_weights(diffusers.AutoencoderKL(**config)))


def write_tiled(name: str, model: torch.nn.Module, tile: int, height: int, width: int) -> None:
    """Both ways by tiles of `tile` latents, the last ones smaller; a quarter overlaps (diffusers' own factor)."""
    model.enable_tiling()
    reduction = 2 ** (len(model.config.block_out_channels) - 1)
    model.tile_latent_min_size = tile
    model.tile_sample_min_size = tile * reduction
    inputs = {
        "latents": named(f"vae-{name}.latents", [1, 4, height, width]),
        "picture": named(f"vae-{name}.picture", [1, 3, height * reduction, width * reduction]),
        "tile": tile,
    }
    with torch.no_grad():
        posterior = model.encode(read_floats(inputs["picture"])).latent_dist
        outputs = {
            "picture": floats(model.decode(read_floats(inputs["latents"])).sample),
            "mean": floats(posterior.mean),
            "logvar": floats(posterior.logvar),
        }
    save(MODELS, f"vae-{name}.json", weights="seeded", config=full_config(model), inputs=inputs, outputs=outputs)


write("tiny-f4", tiny(TINY_F4), "seeded", 32, 4)
write("tiny-f8", tiny(TINY_F8), "seeded", 32, 8)
write("taesd", tiny(TAESD), "seeded", 24, 8)
write("kl-f2", kl(KL_F2), "seeded", 16, 2)
write("kl-f4", kl(KL_F4), "seeded", 16, 4)
write_tiled("kl-tiled", kl(KL_F2), 8, 13, 18)
write("kl-f8", kl(KL_F8), "seeded", 16, 8)
bundled = diffusers.AutoencoderTiny.from_pretrained(BUNDLED / "vae", torch_dtype=torch.float32).eval()
write("bundled", bundled, bundled_weights("vae"), 32, 4)

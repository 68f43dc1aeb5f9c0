"""Writes src/models/__fixtures__/unet-*.json: what diffusers' UNet2DConditionModel predicts.

Run: python tools/oracle/unets.py
"""

import diffusers
import torch
from common import MODELS, bundled_unet, bundled_weights, floats, full_config, named, read_floats, save, seeded_unet
from configs import (
    UNET_BK_BASE,
    UNET_BK_SMALL,
    UNET_BK_TINY,
    UNET_BK_TINY_V2,
    UNET_LCM,
    UNET_SD1,
    UNET_SD1_DEEP,
    UNET_SD2,
    UNET_SD2_DEEP,
)

TOKENS = 7


def write(name: str, model: torch.nn.Module, timesteps: list[int], weights, tokens: int = TOKENS, size=None) -> None:
    config = full_config(model)
    height, width = size or [config["sample_size"]] * 2
    n = len(timesteps)
    inputs = {
        "sample": named(f"unet-{name}.sample", [n, config["in_channels"], height, width]),
        "timesteps": timesteps,
        "encoder_hidden_states": named(f"unet-{name}.context", [n, tokens, config["cross_attention_dim"]]),
    }
    if config["time_cond_proj_dim"]:
        inputs["timestep_cond"] = named(f"unet-{name}.timestep_cond", [n, config["time_cond_proj_dim"]])
    arguments = {k: read_floats(inputs[k]) for k in ("sample", "encoder_hidden_states", "timestep_cond") if k in inputs}
    with torch.no_grad():
        sample = model(timestep=torch.tensor(timesteps), **arguments).sample
    save(MODELS, f"unet-{name}.json", weights=weights, config=config, inputs=inputs, outputs={"sample": floats(sample)})


write("sd1", seeded_unet(UNET_SD1), [7, 981], "seeded")
write("sd2", seeded_unet(UNET_SD2), [0, 500], "seeded")
write("lcm", seeded_unet(UNET_LCM), [999, 259], "seeded")
write("bundled", bundled_unet(), [999, 40], bundled_weights("unet"), tokens=32)

# every structure of the family with all its levels
write("sd1-deep", seeded_unet(UNET_SD1_DEEP), [7, 981], "seeded")
write("sd2-deep", seeded_unet(UNET_SD2_DEEP), [0, 500], "seeded")
write("bk-base", seeded_unet(UNET_BK_BASE), [7, 981], "seeded")
write("bk-small", seeded_unet(UNET_BK_SMALL), [7, 981], "seeded")
write("bk-tiny", seeded_unet(UNET_BK_TINY), [7, 981], "seeded")
write("bk-tiny-v2", seeded_unet(UNET_BK_TINY_V2), [7, 981], "seeded")

# sides that are odd on every level: 9, 5, 3, 2 and 13, 7, 4, 2
write("odd-sides", seeded_unet(UNET_SD1_DEEP), [7, 981], "seeded", size=(9, 13))


def write_guidance(scale: float, timestep: int) -> None:
    """A latent consistency model with the guidance scale as its pipeline embeds it: no second, unconditional pass."""
    pipeline = diffusers.LatentConsistencyModelPipeline
    model = seeded_unet(UNET_LCM)
    config = full_config(model)
    size = config["time_cond_proj_dim"]
    embedding = pipeline.get_guidance_scale_embedding(None, torch.tensor([scale - 1]), embedding_dim=size)
    inputs = {
        "sample": named("unet-guidance.sample", [1, config["in_channels"], config["sample_size"], config["sample_size"]]),
        "timesteps": [timestep],
        "encoder_hidden_states": named("unet-guidance.context", [1, TOKENS, config["cross_attention_dim"]]),
        "guidance": scale,
    }
    with torch.no_grad():
        sample = model(
            read_floats(inputs["sample"]),
            torch.tensor([timestep]),
            read_floats(inputs["encoder_hidden_states"]),
            timestep_cond=embedding,
        ).sample
    outputs = {"features": floats(embedding), "sample": floats(sample)}
    save(MODELS, "unet-guidance.json", weights="seeded", config=config, inputs=inputs, outputs=outputs)


write_guidance(7.5, 259)

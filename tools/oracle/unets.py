"""Writes src/models/__fixtures__/unet-*.json: what diffusers' UNet2DConditionModel predicts.

Run: python tools/oracle/unets.py
"""

import torch
from common import MODELS, bundled_unet, bundled_weights, floats, full_config, named, read_floats, save, seeded_unet
from configs import UNET_LCM, UNET_SD1, UNET_SD2

TOKENS = 7


def write(name: str, model: torch.nn.Module, timesteps: list[int], weights, tokens: int = TOKENS) -> None:
    config = full_config(model)
    size = config["sample_size"]
    n = len(timesteps)
    inputs = {
        "sample": named(f"unet-{name}.sample", [n, config["in_channels"], size, size]),
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

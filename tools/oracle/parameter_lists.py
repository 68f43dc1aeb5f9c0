"""Writes src/models/__fixtures__/parameter-lists.json: how many weights diffusers and transformers give a config.json, and a hash of
their names and shapes: SHA-256 of the sorted lines "name [a, b]".

Run: python tools/oracle/parameter_lists.py FOLDER, where FOLDER has config files named "…unet….json", "…text_encoder….json", "…vae….json".
"""

import hashlib
import json
import pathlib
import sys

import diffusers
import torch
import transformers
from common import MODELS, text_prefix


def build(name: str, config: dict) -> torch.nn.Module | None:
    with torch.device("meta"):
        if "unet" in name:
            return diffusers.UNet2DConditionModel.from_config(config)
        if "text_encoder" in name:
            return transformers.CLIPTextModel(transformers.CLIPTextConfig(**config))
        if config.get("_class_name") == "AutoencoderTiny":
            return diffusers.AutoencoderTiny.from_config(config)
        if "vae" in name:
            return diffusers.AutoencoderKL.from_config(config)
    return None


lists = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    model = build(path.name, json.loads(path.read_text()))
    if model is None:
        continue
    prefix = text_prefix(model) if isinstance(model, transformers.CLIPTextModel) else ""
    state = {prefix + name: list(value.shape) for name, value in model.state_dict().items()}
    lines = "\n".join(sorted(f"{name} {shape}" for name, shape in state.items() if not name.endswith("position_ids")))
    lists[path.name] = {"count": lines.count("\n") + 1, "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    print(path.name, lists[path.name]["count"])

versions = {m.__name__: m.__version__ for m in (torch, diffusers, transformers)}
fixture = {"script": "tools/oracle/parameter_lists.py", "versions": versions, "lists": lists}
(MODELS / "parameter-lists.json").write_text(json.dumps(fixture, indent=1) + "\n")

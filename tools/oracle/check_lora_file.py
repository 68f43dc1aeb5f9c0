"""Opens an exported LoRA file in diffusers and, apart from that, in peft, and compares what the UNet predicts.

Run: python tools/oracle/check_lora_file.py FILE.safetensors MODEL_FOLDER --expected expected.json [--strength 1] [--tolerance 1e-4]
FILE is in kohya's, diffusers' or PEFT's format. MODEL_FOLDER is a model in diffusers layout. expected.json:
    {"inputs":  {"sample": ARRAY, "timesteps": [...], "encoder_hidden_states": ARRAY} or with "ids": [[...]] for the last,
     "outputs": {"sample": FLOATS}}
where FLOATS is {"shape", "data"} and ARRAY is that or {"name", "shape"} (see common.py). With "ids" the context is the output of
the (adapted) text encoder. Exits with 1 when a difference exceeds the tolerance, or when a tensor of the file was not used.
"""

import argparse
import json
import pathlib
import sys

import diffusers
import peft
import safetensors
import torch
import transformers
from common import exact, read_floats, text_prefix
from safetensors.torch import load_file

COMPONENTS = ("unet", "text_encoder")
PEFT_PREFIX = "base_model.model."  # what PeftModel.save_pretrained writes


class Matrices:
    """One module's A, B and alpha as they stand in the file."""

    def __init__(self):
        self.down = self.up = None
        self.alpha = None

    def scale_alpha(self) -> float:
        return self.down.shape[0] if self.alpha is None else self.alpha


def load_models(folder: pathlib.Path):
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
    text_encoder = transformers.CLIPTextModel.from_pretrained(
        folder / "text_encoder", dtype=torch.float32, attn_implementation="eager"
    )
    return exact(unet.eval()), text_encoder.eval()


def kohya_names(models: dict) -> dict:
    """Every name that kohya's scripts give a layer: the path with underscores."""
    names = {f"lora_unet_{path.replace('.', '_')}": ("unet", path) for path, _ in models["unet"].named_modules()}
    prefix = text_prefix(models["text_encoder"])
    for path, _ in models["text_encoder"].named_modules():
        flat = (prefix + path).replace(".", "_")
        names |= {f"lora_te_{flat}": ("text_encoder", path), f"lora_te1_{flat}": ("text_encoder", path)}
    return names


def parse(file: pathlib.Path, models: dict) -> tuple[dict, list[str]]:
    """(component, module path) → Matrices, and the names that say nothing. Written here anew, so that it checks the names too."""
    roles = {
        ".lora_down.weight": "down", ".lora_up.weight": "up", ".alpha": "alpha",
        ".lora_A.weight": "down", ".lora_B.weight": "up", ".lora.down.weight": "down", ".lora.up.weight": "up",
    }  # fmt: skip
    known, prefix = kohya_names(models), text_prefix(models["text_encoder"])
    layers = {c: dict(m.named_modules()) for c, m in models.items()}
    found, unknown = {}, []
    for name, tensor in load_file(file).items():
        suffix = next((s for s in roles if name.endswith(s)), None)
        stem = name[: -len(suffix)] if suffix else name
        stem = stem.removeprefix(PEFT_PREFIX)
        component, path = known.get(stem, (None, None))
        if component is None and "." in stem:
            first, rest = stem.split(".", 1)
            component, path = (first, rest) if first in COMPONENTS else ("unet", stem)
            if component == "text_encoder":
                path = path.removeprefix(prefix)
        if suffix is None or component is None or path not in layers[component]:
            unknown.append(name)
            continue
        value = tensor.item() if suffix == ".alpha" else tensor.float()
        setattr(found.setdefault((component, path), Matrices()), roles[suffix], value)
    return found, unknown


def with_peft(models: dict, found: dict) -> None:
    """Adapts the models in place through peft alone; each layer with its own rank and alpha."""
    for component, model in models.items():
        modules = {path: m for (c, path), m in found.items() if c == component}
        if not modules:
            continue
        config = peft.LoraConfig(
            target_modules=list(modules),
            rank_pattern={f"^{path}$": m.down.shape[0] for path, m in modules.items()},
            alpha_pattern={f"^{path}$": m.scale_alpha() for path, m in modules.items()},
        )
        peft.inject_adapter_in_model(config, model, adapter_name="default")
        state = {}
        for path, m in modules.items():
            state |= {f"{path}.lora_A.weight": m.down, f"{path}.lora_B.weight": m.up}
        result = peft.set_peft_model_state_dict(model, state, adapter_name="default")
        assert not result.unexpected_keys, result.unexpected_keys
        injected = {path for path, layer in model.named_modules() if hasattr(layer, "lora_A")}
        assert injected == set(modules), injected ^ set(modules)
        model.eval()


def with_diffusers(folder: pathlib.Path, models: dict, file: pathlib.Path) -> None:
    """Adapts the models in place as people do: a pipeline's load_lora_weights, or a UNet's own loader for what PEFT saves."""
    state = load_file(file)
    if all(name.startswith(PEFT_PREFIX) for name in state):
        state = {name.removeprefix(PEFT_PREFIX): tensor for name, tensor in state.items()}
        models["unet"].load_lora_adapter(state, prefix=None)
        return
    pipe = diffusers.StableDiffusionPipeline(
        vae=None,
        text_encoder=models["text_encoder"],
        tokenizer=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        unet=models["unet"],
        scheduler=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.load_lora_weights(file)


def set_strength(model: torch.nn.Module, strength: float) -> int:
    """The number of adapted layers."""
    layers = [m for m in model.modules() if hasattr(m, "lora_A")]
    for layer in layers:
        for adapter in layer.lora_A:
            layer.set_scale(adapter, strength)
    return len(layers)


def predict(models: dict, inputs: dict) -> torch.Tensor:
    with torch.no_grad():
        if "ids" in inputs:
            context = models["text_encoder"](torch.tensor(inputs["ids"])).last_hidden_state
        else:
            context = read_floats(inputs["encoder_hidden_states"])
        return models["unet"](read_floats(inputs["sample"]), torch.tensor(inputs["timesteps"]), context).sample


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--expected", type=pathlib.Path, required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    expected = json.loads(arguments.expected.read_text())
    target = read_floats(expected["outputs"]["sample"])
    with safetensors.safe_open(arguments.file, "pt") as opened:
        print(f"metadata: {opened.metadata()}")

    def fresh() -> dict:
        return dict(zip(COMPONENTS, load_models(arguments.model)))

    plain = predict(fresh(), expected["inputs"])
    print(f"the adapter changes the prediction by up to {(plain - target).abs().max().item():.3e}")

    models = fresh()
    found, unknown = parse(arguments.file, models)
    halves = [key for key, m in found.items() if m.down is None or m.up is None]
    counts = {c: sum(key[0] == c for key in found) for c in COMPONENTS}
    print(f"layers in the file: {counts}; names nobody knows: {unknown}; incomplete layers: {halves}")
    if not found or unknown or halves:
        return 1
    good = True
    for library, adapt in (
        ("peft", lambda m: with_peft(m, found)),
        ("diffusers", lambda m: with_diffusers(arguments.model, m, arguments.file)),
    ):
        models = fresh()
        adapt(models)
        adapted = {c: set_strength(m, arguments.strength) for c, m in models.items()}
        difference = (predict(models, expected["inputs"]) - target).abs().max().item()
        fits = difference <= arguments.tolerance and adapted == counts
        good = good and fits
        print(f"{library}: {'ok' if fits else 'FAILED'}, {adapted} layers adapted, largest difference {difference:.3e}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

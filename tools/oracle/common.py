"""What every oracle script shares: seeded weights and inputs, the fixture format, the bundled model.

Seeded weights need nothing but names and shapes, so that the TypeScript tests draw the same ones. For each tensor `name` of a
module's state dict (diffusers' names without the component's own prefix; a text encoder's names start with `text_model.`),
r = torch.randn(numel, generator=torch.Generator("cpu").manual_seed(crc32(name as UTF-8))), reshaped row-major, and

    1-D and the name ends with ".weight"                                 1 + 0.1 r     (gain of a normalisation layer)
    1-D otherwise                                                        0.05 r        (bias)
    2-D and the name contains "token_embedding" or "position_embedding"  0.3 r
    anything else                                                        r / sqrt(numel / shape[0])

LoRA matrices follow the same rule under the names "unet.<module>.lora_A.weight", "text_encoder.text_model.<module>.lora_B.weight".
An input `name` is r itself. Position-id buffers are no weights.

A float array in a fixture is {"shape": [...], "data": base64 of little-endian float32}; integers are plain JSON.
"""

import base64
import hashlib
import json
import pathlib
import sys
import zlib

import diffusers
import numpy
import peft
import torch
import transformers

ROOT = pathlib.Path(__file__).parents[2]
BUNDLED = ROOT / "public/models/bundled"
MODELS = ROOT / "src/models/__fixtures__"
TRAINING = ROOT / "src/training/__fixtures__"
LIMIT = 300_000  # bytes of one fixture

torch.set_num_threads(1)  # one order of summation


def randn(name: str, shape) -> torch.Tensor:
    """The normals that belong to a name."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(name.encode()))
    return torch.randn(int(numpy.prod(shape)), generator=generator).reshape(tuple(shape))


def seeded(name: str, shape) -> torch.Tensor:
    """The weight that belongs to a name: the rule at the head of this file."""
    r = randn(name, shape)
    if len(shape) == 1:
        return 1 + 0.1 * r if name.endswith(".weight") else 0.05 * r
    if len(shape) == 2 and ("token_embedding" in name or "position_embedding" in name):
        return 0.3 * r
    return r / (r.numel() / shape[0]) ** 0.5


def seed_weights(module: torch.nn.Module, prefix: str = "") -> torch.nn.Module:
    """Gives a module its seeded weights, in eval mode and without gradients."""
    state = module.state_dict()
    module.load_state_dict({k: seeded(prefix + k, v.shape) for k, v in state.items()})
    return module.eval().requires_grad_(False)


def text_prefix(text_encoder: torch.nn.Module) -> str:
    """What a CLIPTextModel's names lack in memory: transformers 5 dropped `text_model.`, files and everybody else keep it."""
    return "" if hasattr(text_encoder, "text_model") else "text_model."


def exact(model: torch.nn.Module) -> torch.nn.Module:
    """Attention written out, instead of a fused kernel."""
    from diffusers.models.attention_processor import AttnProcessor

    model.set_attn_processor(AttnProcessor())
    return model


def seeded_unet(config: dict) -> torch.nn.Module:
    return exact(seed_weights(diffusers.UNet2DConditionModel(**config)))


def seeded_text_encoder(config: dict) -> torch.nn.Module:
    config = transformers.CLIPTextConfig(**config, attn_implementation="eager")
    model = transformers.CLIPTextModel(config)
    return seed_weights(model, text_prefix(model))


def bundled_unet() -> torch.nn.Module:
    model = diffusers.UNet2DConditionModel.from_pretrained(BUNDLED / "unet", torch_dtype=torch.float32)
    return exact(model.eval().requires_grad_(False))


def bundled_text_encoder() -> torch.nn.Module:
    folder = BUNDLED / "text_encoder"
    model = transformers.CLIPTextModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval().requires_grad_(False)


def bundled_ids(texts: list[str]) -> list[list[int]]:
    """Token ids as a diffusers pipeline makes them, through the bundled tokenizer."""
    tokenizer = transformers.CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer")
    return tokenizer(texts, padding="max_length", max_length=tokenizer.model_max_length, truncation=True).input_ids


def bundled_weights(component: str) -> dict:
    """Says which file a fixture's numbers come from: another file needs another fixture."""
    [file] = (BUNDLED / component).glob("*.safetensors")
    return {"file": f"{component}/{file.name}", "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def bundled_config(component: str, name: str = "config.json") -> dict:
    return json.loads((BUNDLED / component / name).read_text())


def full_config(model: torch.nn.Module) -> dict:
    """A diffusers model's config.json with every default written out."""
    return {k: v for k, v in json.loads(model.to_json_string()).items() if not k.startswith("_")}


def floats(values: torch.Tensor) -> dict:
    """A float array as fixtures have it."""
    data = values.detach().contiguous().numpy().astype("<f4").tobytes()
    return {"shape": list(values.shape), "data": base64.b64encode(data).decode()}


def read_floats(entry: dict) -> torch.Tensor:
    """The inverse of `floats`; an entry with a name instead of data is a seeded input."""
    if "name" in entry:
        return randn(entry["name"], entry["shape"])
    array = numpy.frombuffer(base64.b64decode(entry["data"]), "<f4").reshape(entry["shape"])
    return torch.from_numpy(array.copy())


def named(name: str, shape) -> dict:
    """The description of a seeded input."""
    return {"name": name, "shape": list(shape)}


def lines(value, depth: int = 0) -> str:
    """JSON with one line for whatever fits on it."""
    short = json.dumps(value)
    if not isinstance(value, (dict, list)) or len(short) < 120 or (isinstance(value, dict) and "data" in value):
        return short
    if isinstance(value, list) and all(isinstance(x, (int, float)) for x in value):
        return short
    inner = [(json.dumps(k) + ": " if isinstance(value, dict) else "", v) for k, v in _items(value)]
    body = ",\n".join(" " * (depth + 1) + key + lines(v, depth + 1) for key, v in inner)
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n{body}\n{' ' * depth}{right}"


def _items(value):
    return value.items() if isinstance(value, dict) else enumerate(value)


def save(folder: pathlib.Path, name: str, *, config, inputs: dict, outputs: dict, **more) -> None:
    """Writes one fixture; more: anything a reader has to know besides."""
    script = pathlib.Path(sys.modules["__main__"].__file__).name
    fixture = {
        "script": f"tools/oracle/{script}",
        "versions": {m.__name__: m.__version__ for m in (torch, diffusers, transformers, peft)},
        **more,
        "config": config,
        "inputs": inputs,
        "outputs": outputs,
    }
    text = lines(fixture) + "\n"
    assert len(text) < LIMIT, f"{name} takes {len(text)} bytes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    print(f"{name}: {len(text)} bytes")

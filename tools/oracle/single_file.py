"""Writes src/weights/__fixtures__/single-file.json: a small Stable Diffusion 2 in one file, as the original code names its weights.

The names are made by the rules below and proved by diffusers: its own single-file converters must give back every weight.
Element i of a weight is (CRC-32 of its diffusers name + i) mod 2^24, which float32 holds exactly; the fixture has names, shapes and
CRC-32 of the bytes only.

Run: python tools/oracle/single_file.py
"""

import json
import pathlib
import re
import zlib

import diffusers
import torch
import transformers
from configs import KL_F8, TEXT_OPEN_CLIP, UNET_SD2_DEEP
from diffusers.loaders import single_file_utils

FOLDER = pathlib.Path(__file__).parents[2] / "src/weights/__fixtures__"

UNET = [
    (r"^conv_in\.", "input_blocks.0.0."),
    (r"^time_embedding\.linear_1\.", "time_embed.0."),
    (r"^time_embedding\.linear_2\.", "time_embed.2."),
    (r"^conv_norm_out\.", "out.0."),
    (r"^conv_out\.", "out.2."),
    (r"^mid_block\.attentions\.0\.", "middle_block.1."),
    (r"^mid_block\.resnets\.(\d)\.", lambda m: f"middle_block.{2 * int(m[1])}."),
    (r"^down_blocks\.(\d)\.(resnets|attentions)\.(\d)\.", lambda m: f"input_blocks.{3 * int(m[1]) + int(m[3]) + 1}.{int(m[2] == 'attentions')}."),
    (r"^down_blocks\.(\d)\.downsamplers\.0\.conv\.", lambda m: f"input_blocks.{3 * int(m[1]) + 3}.0.op."),
    (r"^up_blocks\.(\d)\.(resnets|attentions)\.(\d)\.", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[3])}.{int(m[2] == 'attentions')}."),
    (r"^up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"output_blocks.{3 * int(m[1]) + 2}.{1 if m[1] == '0' else 2}."),
    (r"\.norm1\.(weight|bias)$", r".in_layers.0.\1"),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.norm2\.(weight|bias)$", r".out_layers.0.\1"),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.conv_shortcut\.", ".skip_connection."),
]
VAE = [
    (r"\.conv_shortcut\.", ".nin_shortcut."),
    (r"\.conv_norm_out\.", ".norm_out."),
    (r"\.mid_block\.resnets\.(\d)\.", lambda m: f".mid.block_{int(m[1]) + 1}."),
    (r"\.mid_block\.attentions\.0\.", ".mid.attn_1."),
    (r"\.group_norm\.", ".norm."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.to_out\.0\.", ".proj_out."),
    (r"\.down_blocks\.(\d)\.resnets\.", r".down.\1.block."),
    (r"\.down_blocks\.(\d)\.downsamplers\.0\.", r".down.\1.downsample."),
    (r"\.up_blocks\.(\d)\.resnets\.", lambda m: f".up.{3 - int(m[1])}.block."),
    (r"\.up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f".up.{3 - int(m[1])}.upsample."),
]
OPEN_CLIP = [
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.embeddings\.", ""),
    (r"^text_model\.final_layer_norm\.", "ln_final."),
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"\.layer_norm([12])\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    (r"\.self_attn\.out_proj\.", ".attn.out_proj."),
    (r"\.self_attn\.([qkv])_proj\.(weight|bias)$", r".attn.in_proj_\2.\1"),  # gathered below
]


def renamed(state: dict, rules: list, prefix: str) -> dict:
    def rename(name: str) -> str:
        # the names within a transformer of the UNet are the same on both sides
        if "transformer_blocks" in name:
            return rename(name[: name.index("transformer_blocks")]) + name[name.index("transformer_blocks") :]
        for pattern, new in rules:
            name = re.sub(pattern, new, name)
        return name

    return {prefix + rename(name): value for name, value in state.items()}


def numbered(name: str, shape) -> torch.Tensor:
    count = int(torch.Size(shape).numel())
    return ((torch.arange(count) + zlib.crc32(name.encode())) % 2**24).float().reshape(shape)


def state_of(model: torch.nn.Module) -> dict:
    prefix = "" if hasattr(model, "text_model") or not isinstance(model, transformers.CLIPTextModel) else "text_model."
    return {prefix + name: numbered(prefix + name, value.shape) for name, value in model.state_dict().items()}


unet = state_of(diffusers.UNet2DConditionModel(**UNET_SD2_DEEP))
vae = state_of(diffusers.AutoencoderKL(**KL_F8))
text_model = transformers.CLIPTextModel(transformers.CLIPTextConfig(**TEXT_OPEN_CLIP))
text = state_of(text_model)

single = renamed(unet, UNET, "model.diffusion_model.") | renamed(vae, VAE, "first_stage_model.")
for name in [n for n in single if re.search(r"attn_1\.(q|k|v|proj_out)\.weight$", n)]:
    single[name] = single[name][:, :, None, None]
open_clip = renamed(text, OPEN_CLIP, "cond_stage_model.model.")
for name in [n for n in open_clip if re.search(r"in_proj_(weight|bias)\.q$", n)]:
    open_clip[name[:-2]] = torch.cat([open_clip.pop(name[:-1] + part) for part in "qkv"])
single |= open_clip


def check(converted: dict, state: dict) -> None:
    assert converted.keys() == state.keys(), converted.keys() ^ state.keys()
    for name, value in state.items():
        assert torch.equal(converted[name].reshape(value.shape), value), name


check(single_file_utils.convert_ldm_unet_checkpoint(dict(single), UNET_SD2_DEEP | dict(class_embed_type=None, addition_embed_type=None)), unet)
check(single_file_utils.convert_ldm_vae_checkpoint(dict(single), KL_F8), vae)
check(single_file_utils.convert_open_clip_checkpoint(text_model, dict(single)), text)
print(f"{len(single)} tensors hold {len(unet) + len(vae) + len(text)} weights")

tensors = {name: [zlib.crc32(value.contiguous().numpy().tobytes()), list(value.shape)] for name, value in sorted(single.items())}
fixture = {
    "script": "tools/oracle/single_file.py",
    "versions": {m.__name__: m.__version__ for m in (torch, diffusers, transformers)},
    "configs": {"unet": UNET_SD2_DEEP, "vae": KL_F8, "text_encoder": TEXT_OPEN_CLIP},
}
lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in tensors.items())
text = json.dumps(fixture, indent=1)[:-2] + ',\n "tensors": {\n' + lines + "\n }\n}\n"
(FOLDER / "single-file.json").write_text(text)
print(f"single-file.json: {len(text)} bytes")

"""Exports a UNet by torch.onnx (float32, fixed shapes, batch 2), for comparing its speed with our own graph.

Run: python tools/oracle/onnx_unet.py OUT.onnx [--model FOLDER] [--exporter dynamo|legacy] [--attention sdpa|math]
Inputs: sample [n, 4, s, s], timestep [n] int64, encoder_hidden_states [n, t, c]; output: out_sample. The result is checked by
onnxruntime against PyTorch.
"""

import argparse
import json
import pathlib

import diffusers
import numpy
import onnxruntime
import torch
from common import BUNDLED, exact, randn

NAMES = ["sample", "timestep", "encoder_hidden_states"]


class Noise(torch.nn.Module):
    def __init__(self, unet: torch.nn.Module):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, default=BUNDLED)
    parser.add_argument("--exporter", choices=["dynamo", "legacy"], default="dynamo")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--attention", choices=["math", "sdpa"], default="sdpa")
    arguments = parser.parse_args()

    unet = diffusers.UNet2DConditionModel.from_pretrained(arguments.model / "unet", torch_dtype=torch.float32).eval()
    if arguments.attention == "math":
        exact(unet)
    tokens = json.loads((arguments.model / "text_encoder/config.json").read_text())["max_position_embeddings"]
    size, channels, width = (unet.config[k] for k in ("sample_size", "in_channels", "cross_attention_dim"))
    n = arguments.batch
    inputs = (
        randn("onnx.sample", [n, channels, size, size]),
        torch.full([n], 500, dtype=torch.int64),
        randn("onnx.context", [n, tokens, width]),
    )
    model = Noise(unet)
    with torch.no_grad():
        torch.onnx.export(
            model,
            inputs,
            str(arguments.out),
            input_names=NAMES,
            output_names=["out_sample"],
            dynamo=arguments.exporter == "dynamo",
            **({"external_data": False} if arguments.exporter == "dynamo" else {"opset_version": 18}),
        )
        expected = model(*inputs).numpy()
    session = onnxruntime.InferenceSession(str(arguments.out), providers=["CPUExecutionProvider"])
    [actual] = session.run(None, {name: x.numpy() for name, x in zip(NAMES, inputs)})
    print(f"{arguments.out.stat().st_size} bytes, largest difference {numpy.abs(actual - expected).max():.2e}")


if __name__ == "__main__":
    main()

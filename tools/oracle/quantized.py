"""Writes src/weights/__fixtures__/quantized.json: weights in 8 and 4 bits, made of their levels again by onnxruntime.

Run: python tools/oracle/quantized.py

Levels and scales are computed here in NumPy by the rule of src/weights/quantize.ts; onnxruntime's own GatherBlockQuantized says what
they stand for, and its MatMulNBits has to agree on packing and zero point.
"""

import numpy
import onnx
import onnxruntime
import torch
from common import ROOT, floats, randn, save
from onnx import TensorProto, helper

ROWS, COLUMNS, BLOCK = 5, 96, 32


def levels_and_scales(weight: numpy.ndarray, bits: int):
    zero = 2 ** (bits - 1)
    blocks = weight.reshape(-1, BLOCK)
    farthest = numpy.take_along_axis(blocks, numpy.abs(blocks).argmax(1)[:, None], 1)
    scales = (farthest / numpy.float32(-zero)).astype(numpy.float16).astype(numpy.float32)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        steps = numpy.where(scales == 0, 0, blocks.astype(numpy.float64) / scales)
    levels = numpy.clip(numpy.floor(steps + 0.5) + zero, 0, 2 * zero - 1).astype(numpy.uint8)  # halves up, as in JavaScript
    if bits == 4:
        levels = levels[:, 0::2] | (levels[:, 1::2] << 4)
    return levels.reshape(ROWS, -1), scales.reshape(ROWS, -1)


def run(node, feeds):
    types = {numpy.dtype("uint8"): TensorProto.UINT8, numpy.dtype("int32"): TensorProto.INT32}
    inputs = [
        helper.make_tensor_value_info(name, types.get(data.dtype, TensorProto.FLOAT), data.shape)
        for name, data in feeds.items()
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "one node", inputs, [output])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)[0]


def case(weight: numpy.ndarray, bits: int):
    levels, scales = levels_and_scales(weight, bits)
    gather = helper.make_node(
        "GatherBlockQuantized", ["data", "rows", "scales"], ["y"], domain="com.microsoft",
        bits=bits, block_size=BLOCK, gather_axis=0, quantize_axis=1,
    )
    rows = numpy.arange(ROWS, dtype=numpy.int32)
    dequantized = run(gather, {"data": levels, "rows": rows, "scales": scales})

    product = helper.make_node(
        "MatMulNBits", ["x", "data", "scales"], ["y"], domain="com.microsoft",
        bits=bits, block_size=BLOCK, K=COLUMNS, N=ROWS,
    )
    blobs = levels.reshape(ROWS, COLUMNS // BLOCK, BLOCK * bits // 8)
    identity = numpy.eye(COLUMNS, dtype=numpy.float32)
    columns = run(product, {"x": identity, "data": blobs, "scales": scales})
    assert numpy.abs(columns.T - dequantized).max() < 1e-6

    return {
        "bits": bits,
        "data": levels.flatten().tolist(),
        "scales": floats(torch.from_numpy(scales)),
        "dequantized": floats(torch.from_numpy(dequantized)),
    }


weight = randn("quantized", [ROWS, COLUMNS]).numpy().copy()
weight[1, :BLOCK] = 0  # a block of nothing
weight[2] *= 1e-5  # scales that float16 has as subnormal numbers

save(
    ROOT / "src/weights/__fixtures__",
    "quantized.json",
    config={"block_size": BLOCK},
    inputs={"weight": floats(torch.from_numpy(weight))},
    outputs={"cases": [case(weight, bits) for bits in (8, 4)]},
    more_versions={m.__name__: m.__version__ for m in (onnx, onnxruntime)},
)

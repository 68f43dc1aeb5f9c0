"""Writes src/models/__fixtures__/prompt-weights.json: weighted prompts through the bundled text encoder, in chunks.

Run: python tools/oracle/prompt_weights.py

Every case has its chunks written out as pieces of text with their weights, the way AUTOMATIC1111's web UI documents its
syntax: tokens take the weight of their piece, states are scaled by it and then all of a chunk to the mean they had.
"""

import torch
import transformers
from common import BUNDLED, MODELS, bundled_config, bundled_text_encoder, bundled_weights, floats, save

LENGTH = 32  # positions of the bundled text encoder, 30 of them for words
FRUIT = "apple, banana, cherry, orange, lemon, "  # ten tokens

CASES = [
    ("a photo of a red ball", [[("a photo of a red ball", 1)]]),
    ("a photo of a (red:1.4) [ball]", [[("a photo of a ", 1), ("red", 1.4), (" ", 1), ("ball", 1 / 1.1)]]),
    ("a ((dog)) BREAK on the (beach:0.5)", [[("a ", 1), ("dog", 1.1 * 1.1)], [("on the ", 1), ("beach", 0.5)]]),
    # the 31st token opens a second chunk
    (f"({FRUIT}{FRUIT}{FRUIT}:0.8) dog", [[(FRUIT * 3, 0.8)], [("dog", 1)]]),
    # what follows the last comma goes there too
    (f"{FRUIT}{FRUIT}apple, banana, cherry, a red (dog on the:1.2) beach",
     [[(f"{FRUIT}{FRUIT}apple, banana, cherry, ", 1)], [("a red ", 1), ("dog on the", 1.2), (" beach", 1)]]),
    # but there is none here
    ("ball " * 31, [[("ball " * 30, 1)], [("ball ", 1)]]),
]

tokenizer = transformers.CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer")
model = bundled_text_encoder()


def encode(pieces) -> torch.Tensor:
    ids, weights = [tokenizer.bos_token_id], [1.0]
    for text, weight in pieces:
        words = tokenizer(text, add_special_tokens=False).input_ids
        ids += words
        weights += [weight] * len(words)
    assert len(ids) < LENGTH, (pieces, len(ids))
    padding = LENGTH - len(ids)
    ids += [tokenizer.eos_token_id] * padding  # the end, which is the padding too
    weights += [1.0] * padding
    with torch.no_grad():
        states = model(torch.tensor([ids])).last_hidden_state[0]
    weighed = states * torch.tensor(weights)[:, None]
    return weighed * (states.mean() / weighed.mean())


save(
    MODELS,
    "prompt-weights.json",
    weights=bundled_weights("text_encoder"),
    config=bundled_config("text_encoder"),
    inputs={"prompts": [prompt for prompt, _ in CASES]},
    outputs={"everyEighth": [floats(torch.cat([encode(chunk) for chunk in chunks])[:, ::8]) for _, chunks in CASES]},
)

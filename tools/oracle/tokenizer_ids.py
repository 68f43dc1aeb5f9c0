"""Writes src/models/__fixtures__/tokenizer-*.json: token ids of transformers' CLIPTokenizer, padded and truncated.

Run: python tools/oracle/tokenizer_ids.py [FOLDER]
FOLDER holds CLIP's own vocab.json and merges.txt (openai/clip-vit-large-patch14); without it only the bundled one is written.
"""

import hashlib
import json
import pathlib
import sys

import transformers
from common import BUNDLED, MODELS, save

TEXTS = [
    "",
    " ",
    "\n\t  \r\n",
    "a photo of a sks toy",
    "a photo of sks dog on the beach",
    "A Photo Of A CAT",
    "ALL UPPERCASE",
    "MiXeD cAsE",
    "  leading and trailing  ",
    "two  spaces,\ttab\nand newline",
    "no\u00a0break\u3000and\u2009thin spaces",
    "it's",
    "It'S I'm you're we've they'll he'd don't",
    "the dogs' ball, 'quoted' and ''",
    "it’s a “curly” quote",
    "hello, world!",
    "wow!!! really?? ...",
    "a-b_c/d\\e|f",
    "(parentheses) [brackets] {braces}",
    "50% off & more @ #1 $5.99 €3 £2 ¥100",
    "1234567890",
    "3d render, 8k, f/1.8, 35mm, 1.5x",
    "in 2024, x2 v1.5",
    "½ ² Ⅷ ①",
    "١٢٣ १२३",
    "naïve café déjà vu",
    "nai\u0308ve cafe\u0301",
    "Ünïcödé ÀÉÎÕÜ ß ẞ Œ Æ",
    "İstanbul ıI",
    "Straße in München",
    "ﬁne ﬂuﬀy ligatures",
    "ＦＵＬＬＷＩＤＴＨ ｔｅｘｔ",
    "一只狗的照片",
    "a 猫 and a 犬 photo",
    "これは猫です",
    "コーヒー ｺｰﾋｰ",
    "한국어 강아지",
    "фото собаки",
    "φωτογραφία σκύλου ΣΑΣ",
    "צילום של כלב",
    "صورة كلب",
    "कुत्ते की तस्वीर",
    "ภาพถ่ายสุนัข",
    "🐶",
    "a 🐶 on a 🏖️!",
    "👩‍👩‍👧‍👦 👍🏽 🇪🇺",
    "emoji🙂without🙂spaces",
    "zero\u200bwidth\u200djoiner\ufeffbom",
    "control \u0000 \u0007 \u007f characters",
    "soft\u00adhyphen \u202eright to left\u202c",
    "\ud7ff \ufffd 𝒻𝒶𝓃𝒸𝓎 𐍈",
    "<b>bold</b> &amp; <br/>",
    "&lt;sks&gt; &quot;toy&quot;",
    "http://example.com/a?b=c&d=e#f",
    "<|endoftext|>",
    "a dog<|endoftext|>on a beach",
    "<|startoftext|>a dog <|endoftext|>",
    "<|EndOfText|> and <|pad|>",
    "a photo of <sks>",
    "(masterpiece:1.2), ((best quality)), <lora:toy:0.8>",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "word " * 100,
    "a photo of a toy, " * 12,
    "🐶" * 60,
    "! ! !",
    "</w> the</w>",
]


def sha256(file: pathlib.Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write(name: str, folder: pathlib.Path) -> None:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    length = tokenizer.model_max_length
    ids = tokenizer(TEXTS, padding="max_length", max_length=length, truncation=True).input_ids
    assert {len(x) for x in ids} == {length}
    save(
        MODELS,
        f"tokenizer-{name}.json",
        vocabulary={file: sha256(folder / file) for file in ("vocab.json", "merges.txt")},
        config=json.loads((folder / "tokenizer_config.json").read_text()),
        inputs={"max_length": length, "texts": TEXTS},
        outputs={"ids": ids},
    )


write("bundled", BUNDLED / "tokenizer")
if len(sys.argv) > 1:
    write("clip", pathlib.Path(sys.argv[1]))

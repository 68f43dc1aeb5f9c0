"""Makes e2e/fixtures/ (photos that a page must read or refuse) and src/weights/__fixtures__/png-text.json.

Run: python tools/oracle/photos.py   (needs pillow)
The 108 × 72 picture has a red left top, green right top, blue left bottom and yellow right bottom corner on grey; file
orientationN.jpg stores it so that a reader who honours EXIF orientation N sees it upright.
"""
import base64
import io
import json
import pathlib

import PIL
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

root = pathlib.Path(__file__).resolve().parents[2]
fixtures = root / "e2e/fixtures"
fixtures.mkdir(parents=True, exist_ok=True)

upright = Image.new("RGB", (108, 72), (128, 128, 128))
draw = ImageDraw.Draw(upright)
draw.rectangle((0, 0, 35, 23), fill=(230, 20, 20))
draw.rectangle((72, 0, 107, 23), fill=(20, 200, 20))
draw.rectangle((0, 48, 35, 71), fill=(20, 20, 230))
draw.rectangle((72, 48, 107, 71), fill=(240, 220, 20))

# The inverse of what each orientation asks the reader to do.
stored = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
for orientation, turn in stored.items():
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = upright if turn is None else upright.transpose(turn)
    image.save(fixtures / f"orientation{orientation}.jpg", quality=90, subsampling=0, exif=exif)

upright.save(fixtures / "photo.webp", quality=90)
upright.resize((40, 90)).save(fixtures / "small.png")
transparent = upright.convert("RGBA")
transparent.putalpha(Image.linear_gradient("L").resize(upright.size))
transparent.save(fixtures / "transparent.png")

whole = (fixtures / "orientation1.jpg").read_bytes()
(fixtures / "truncated.jpg").write_bytes(whole[: len(whole) - 200])
(fixtures / "header-only.jpg").write_bytes(whole[:64])
(fixtures / "text.jpg").write_text("This is not a photo, whatever its name says.\n")
(fixtures / "empty.jpg").write_bytes(b"")
(fixtures / "photo.heic").write_bytes(
    b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heicmiaf" + b"\x00\x00\x00\x08mdat" + bytes(range(64))
)

parameters = [
    "a photo of sks dog\nNegative prompt: blurry\nSteps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 42, Size: 64x64",
    "été à la plage\nSteps: 1, Sampler: Euler, Seed: 0",
    "一只狗 🐕\nSteps: 1, Sampler: Euler, Seed: 0",
]


def png(info=None):
    buffer = io.BytesIO()
    upright.resize((6, 4)).save(buffer, "PNG", pnginfo=info)
    return base64.b64encode(buffer.getvalue()).decode()


def written(text):
    info = PngInfo()
    info.add_text("parameters", text)
    return dict(text=text, png=png(info))


fixture = dict(
    script="tools/oracle/photos.py",
    versions=dict(pillow=PIL.__version__),
    plain=png(),
    written=[written(text) for text in parameters],
)
path = root / "src/weights/__fixtures__/png-text.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(fixture, indent=2, ensure_ascii=False) + "\n")
for file in sorted(fixtures.iterdir()):
    print(file.relative_to(root), file.stat().st_size, "bytes")

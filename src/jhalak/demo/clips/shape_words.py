"""Makes words.json anew: shapes words with HarfBuzz and keeps their outlines. Not run by the demo.

To add a word: put it into WORDS, then, where uharfbuzz, fonttools and brotli are installed,

    python -m jhalak.demo.clips.shape_words LATIN.woff2 GREEK.woff2

with the Latin and Greek bold subsets of Noto Sans (the site serves only the scripts of India). Each
cluster of a word is one part: what a reader of the script takes for one letter.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parents[2] / "site" / "static" / "fonts"

WORDS = {
    "devanagari": "झलक नमस्ते पानी सा रे ग म प ध नि धा धिं तिं ता",
    "tamil": "வணக்கம் நீர் அகர முதல எழுத்தெல்லாம் ஆதி பகவன் முதற்றே உலகு",
    "bengali": "নমস্কার জল যদি তোর ডাক শুনে কেউ না আসে তবে একলা চলো রে",
    "telugu": "నమస్కారం నీరు",
    "kannada": "ನಮಸ್ಕಾರ ನೀರು",
    "malayalam": "നമസ്കാരം വെള്ളം അ ആ ഇ ഈ ഉ ഊ ഋ എ ഏ ഐ ഒ ഓ ഔ ക ഖ ഗ ഘ ങ ച ഛ ജ ഝ ഞ ട ഠ ഡ ഢ ണ "
    "ത ഥ ദ ധ ന പ ഫ ബ ഭ മ യ ര ല വ ശ ഷ സ ഹ ള ഴ റ",
    "gujarati": "નમસ્તે પાણી",
    "gurmukhi": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਪਾਣੀ",
    "oriya": "ନମସ୍କାର ପାଣି",
    "nastaliq": "آداب پانی ہزاروں خواہشیں ایسی کہ ہر خواہش پہ دم نکلے",
    "latin": "a² b² c² 1 3 5 7 9 11 13 = + 7² r r²",
    "greek": "π",
}


def _font(hb: Any, file: Path) -> tuple[Any, float]:
    """A HarfBuzz font and what turns its units into 1/1000 em."""
    source = importlib.import_module("fontTools.ttLib").TTFont(file)
    source.flavor = None
    plain = io.BytesIO()
    source.save(plain)
    face = hb.Face(plain.getvalue())
    return hb.Font(face), 1000 / face.upem


def shape(hb: Any, font: Any, scale: float, text: str) -> tuple[int, list[str]]:
    """Advance in 1/1000 em and one path for each cluster, in reading order. KeyError: no glyph."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer)
    x = 0
    parts: dict[int, list[str]] = {}
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if info.codepoint == 0:
            raise KeyError(text)
        path = parts.setdefault(info.cluster, [])
        _draw(hb, font, info.codepoint, (x + position.x_offset, position.y_offset), scale, path)
        x += position.x_advance
    return round(x * scale), [" ".join(parts[k]) for k in sorted(parts) if parts[k]]


def _draw(
    hb: Any, font: Any, glyph: int, at: tuple[float, float], scale: float, path: list[str]
) -> None:
    def put(letter: str, *numbers: float) -> None:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        spots = (f"{round((a + at[0]) * scale)} {round(-(b + at[1]) * scale)}" for a, b in pairs)
        path.append(" ".join((letter, *spots)))

    pen = hb.DrawFuncs()
    pen.set_move_to_func(lambda a, b, _: put("M", a, b))
    pen.set_line_to_func(lambda a, b, _: put("L", a, b))
    pen.set_quadratic_to_func(lambda a, b, c, d, _: put("Q", a, b, c, d))
    pen.set_cubic_to_func(lambda a, b, c, d, e, f, _: put("C", a, b, c, d, e, f))
    pen.set_close_path_func(lambda _: None)
    font.draw_glyph(glyph, pen)


def main(given: Sequence[str]) -> None:
    latin, greek = map(Path, given)
    files = {script: FONTS / f"noto-sans-{script}-700.woff2" for script in WORDS}
    files |= {"nastaliq": FONTS / "noto-nastaliq-urdu-700.woff2", "latin": latin, "greek": greek}
    hb = importlib.import_module("uharfbuzz")
    rows = []
    for script, words in WORDS.items():
        font, scale = _font(hb, files[script])
        for text in words.split():
            advance, parts = shape(hb, font, scale, text)
            entry = {"script": script, "advance": advance, "parts": parts}
            rows.append(
                f" {json.dumps(text, ensure_ascii=False)}: {json.dumps(entry, ensure_ascii=False)}"
            )
    out = Path(__file__).with_name("words.json")
    out.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

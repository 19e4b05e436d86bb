"""The sheets of the test: sound and forms in one folder, for those who listen, and the key in another.

OUT/for-listeners: 01.wav ... and form.html, form.csv. OUT/key: key.json, and each item as a MIDI file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.recording.midifile import write_whole
from training.listening.items import Asked, Item, Say, check, make_items
from training.listening.loudness import one_loudness
from training.listening.sound import keep_wav, midi_bytes, sound_of

QUESTIONS: Final = ("musicality", "coherence", "creativity")
MARKS: Final = (1, 2, 3, 4, 5)
COLUMNS: Final = ("set", "item", *QUESTIONS, "known")
KEY_FORMAT: Final = "livemuse listening key 1"
FOR_LISTENERS, KEY = "for-listeners", "key"


def make(asked: Asked, say: Say) -> dict[str, Any]:
    """Make the sheets and their key; what it gives is the key. ValueError where the folder holds something."""
    check(asked)
    if asked.out.exists() and (not asked.out.is_dir() or any(asked.out.iterdir())):
        raise ValueError(f"{asked.out} is there already, and its key may be in use: name another --out")
    items, silent = make_items(asked, say)
    say("the items are made into sound")
    made = [sound_of(item.notes, asked.length_s) for item in items]
    sounds, rate = [sound for sound, _ in made], made[0][1]
    lufs, factors = one_loudness(sounds, rate)
    names = [f"{number:02d}" for number in range(1, len(items) + 1)]
    set_name = set_of(items)
    key: dict[str, Any] = {
        "format": KEY_FORMAT,
        "set": set_name,
        "seed": asked.seed,
        "bars": asked.bars,
        "bar_s": asked.bar_s,
        "settings": list(asked.settings),
        "loudness_lufs": round(lufs, 2),
        "nothing_played": silent,
        "items": {
            name: {"kind": item.kind, "name": item.name, "piece": item.piece, "notes": len(item.notes)}
            for name, item in zip(names, items, strict=True)
        },
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{asked.out.name}.", suffix=".part", dir=asked.out.parent))
    try:
        draft.chmod(0o755)
        for folder in (FOR_LISTENERS, KEY):
            (draft / folder).mkdir()
        for name, item, sound, factor in zip(names, items, sounds, factors, strict=True):
            keep_wav(sound * factor, rate, draft / FOR_LISTENERS / f"{name}.wav")
            write_whole(draft / KEY / f"{name}.mid", midi_bytes(item.notes))
        write_whole(draft / FOR_LISTENERS / "form.csv", empty_form(set_name, names).encode())
        write_whole(draft / FOR_LISTENERS / "form.html", form_page(set_name, names, asked).encode())
        write_whole(draft / KEY / "key.json", json.dumps(key, indent=1).encode())
        if asked.out.exists():
            asked.out.rmdir()
        draft.replace(asked.out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return key


def set_of(items: Sequence[Item]) -> str:
    """A name for these very items in this very order, which says nothing of who plays."""
    return hashlib.sha256(b"\0".join(midi_bytes(item.notes) for item in items)).hexdigest()[:8]


def empty_form(set_name: str, names: Sequence[str]) -> str:
    """The form as a table to be filled in, a line an item."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([set_name, name, *("" for _ in QUESTIONS), ""] for name in names)
    return text.getvalue()


def form_page(set_name: str, names: Sequence[str], asked: Asked) -> str:
    """The form as a page with players, to be answered in a browser or printed."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # late: scoring has no use for it

    loader = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("form.html")
    return page.render(set=set_name, items=names, questions=QUESTIONS, marks=MARKS, columns=COLUMNS,
                       seconds=round(asked.length_s))  # fmt: skip

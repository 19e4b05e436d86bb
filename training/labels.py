"""What a piece is, in words a network can be told: its genre, its composer by one spelling, its mood.

Moods are EMOPIA's quadrants (Hung et al. 2021): Q1 happy, Q2 tense, Q3 sad, Q4 calm.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

GENRES = {
    "chorale": "chorale",
    "classical (score)": "score",
    "classical": "classical",
    "art song": "art song",
    "pop": "pop",
    "jazz": "jazz",
}
"""How a manifest's genre begins -> the label."""

SURNAMES = {
    "albeniz": "Albeniz", "bach": "Bach", "beethoven": "Beethoven", "brahms": "Brahms", "chopin": "Chopin",
    "clementi": "Clementi", "debussy": "Debussy", "grieg": "Grieg", "handel": "Handel", "haydn": "Haydn",
    "joplin": "Joplin", "liszt": "Liszt", "mendelssohn": "Mendelssohn", "mozart": "Mozart",
    "mussorgsky": "Mussorgsky", "prokofiev": "Prokofiev", "rachmaninoff": "Rachmaninoff", "ravel": "Ravel",
    "scarlatti": "Scarlatti", "schubert": "Schubert", "schumann": "Schumann", "scriabin": "Scriabin",
    "tchaikovsky": "Tchaikovsky", "medtner": "Medtner", "wagner": "Wagner",
}  # fmt: skip
SPELLINGS = {
    "haendel": "handel", "rachmaninov": "rachmaninoff", "rachmaninow": "rachmaninoff", "skriabin": "scriabin",
    "chaikovskii": "tchaikovsky", "tschaikowsky": "tchaikovsky", "musorgsky": "mussorgsky", "musorgskii": "mussorgsky",
    "skri︠a︡bin": "scriabin", "rakhmaninov": "rachmaninoff",
}  # fmt: skip
OTHERS = ("clara", "fanny", "hensel", "michael", "leopold", "emanuel", "christian", "jean", "friedemann")
"""First names of those who share a famous surname."""
MOODS = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}


def genre_of(text: str) -> str:
    """The genre's label, or an empty string."""
    text = text.strip().lower()
    return next((label for begin, label in GENRES.items() if text.startswith(begin)), "")


def composer_of(text: str) -> str:
    """One spelling for a composer however a source writes the name; empty for others, arrangers' pairs too."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().strip()
    if "/" in plain or "cpe" in plain.lower():
        return ""
    words = [w.lower() for w in re.findall(r"[A-Za-z][a-z]*", plain)]
    if any(w in OTHERS for w in words) and not any(w in ("sebastian", "domenico") for w in words):
        return ""
    for word in words:
        word = SPELLINGS.get(word, word)
        if word in SURNAMES:
            return SURNAMES[word]
    return ""


def mood_of(text: str) -> str:
    """EMOPIA's quadrant in words, or an empty string."""
    found = re.search(r"emotion (Q[1-4])", text)
    return MOODS[found.group(1)] if found else ""


def labels_of(row: Mapping[str, str]) -> dict[str, str]:
    """genre, composer and mood of a manifest's row; what it does not say is an empty string."""
    genre = row.get("genre") or ""
    return {"genre": genre_of(genre), "composer": composer_of(row.get("composer") or ""), "mood": mood_of(genre)}

"""What pieces state of their keys and chords, and how hearing is measured against it."""

import json
from pathlib import Path

import numpy as np
import pytest

from livemuse.midi.smf import Track, meta, write_song
from livemuse.music.notes import Heard, KeyDown, KeyUp
from training.hearing.chords import agreement, heard_chords, held_chords, labels, progression
from training.hearing.cost import PARTS, costs_us
from training.hearing.cost import table as table_of_costs
from training.hearing.keys import heard_keys, measure, mirex_score, music21_key, table
from training.hearing.pieces import KeyedPiece, keyed_pieces
from training.hearing.profiles import fitted
from training.hearing.titles import Stated, key_in_title, key_of_annotation, key_of_signature


@pytest.mark.parametrize(
    ("title", "tonic", "mode"),
    [
        ("Sonata in C minor", 0, "minor"),
        ('Prelude No. 3 in C-sharp major, WTC I, "BWV 848"', 1, "major"),
        ("Sonata No. 2 in B-flat Minor, Op.36", 10, "minor"),
        ("Fantasy in C Min", 0, "minor"),
        ("Sonata in F# Min", 6, "minor"),
        ("Son. in Bb D.960", 10, "major"),
        ("Sonata in a, K. 310", 9, "minor"),
        ("Sonata in c# ", 1, "minor"),
        ("Sonata Bb, Op. 24, No. 2", 10, "major"),
        ("Etude op. 25, no. 9, G flat", 6, "major"),
        ("Military march E-flat", 3, "major"),
        ("Sonata in A D959", 9, "major"),
        ("Nocturne, D flat major, op. 27, no. 2", 1, "major"),
        ("Impromptu op. 142, B-Dur", 10, "major"),
        ("Nocturne H-Dur op. 32", 11, "major"),
        ("Sonate cis-Moll : (Mondschein)", 1, "minor"),
        ("Romance op. 28, No. 2, Fis-Dur", 6, "major"),
        ("Militärmarsch in Es-Dur", 3, "major"),
        ("Etude Ges Dur, op. 10, no. 5", 6, "major"),
        ("Sonata No. 26 in E-flat Major, Op. 81a, I. Das Lebewohl", 3, "major"),
        ("Sonata_in_D-Major,_K._311,_First_Movement", 2, "major"),
        ("Prelude and Fugue in A Minor, WTC II, BWV 889", 9, "minor"),
    ],
)
def test_a_title_states_its_key(title: str, tonic: int, mode: str) -> None:
    assert key_in_title(title) == Stated(tonic, "major" if mode == "major" else "minor")


@pytest.mark.parametrize(
    "title",
    [
        "In a Sentimental Mood", "Rhapsody in Blue", "Softly, As In A Morning Sunrise", "Barcarolle", "Etude Op. 25",
        "Sonata in D Major, K. 576, II - Adagio", "Piano Sonata in C Minor - KV. 457 (2nd Movement)",
        "3. Satz aus der Sonate in G-Dur", "Sonata B minor, 2nd part", "Preludes in C Major and A Minor",
        "Préludes, op. 28, no. 1, C major, op. 28, no. 21, B flat", "Blues for CB", "Deep in a Dream",
        "Sonata No. 26 in 3-flat Major, Op. 81a (2nd & 3rd Movements)", "Romanze a. e-Moll Konzert",
    ],
)  # fmt: skip
def test_a_title_states_none_or_that_of_another_movement(title: str) -> None:
    assert key_in_title(title) is None


def test_a_number_at_the_end_is_a_movement_where_the_source_writes_it_so() -> None:
    title = "Sonata No.14 C# minor Moonlight Opus 27 2 "
    assert key_in_title(title + "1", numbered_movements=True) == Stated(1, "minor")
    assert key_in_title(title + "2", numbered_movements=True) is None
    assert key_in_title("Prelude C# minor Opus 3 2", numbered_movements=True) == Stated(1, "minor")


def test_signatures_and_annotations_are_keys() -> None:
    assert key_of_signature(-3, True) == Stated(0, "minor")
    assert key_of_signature(4, False) == Stated(4, "major")
    assert key_of_annotation("2.67 191.98 Gb:maj\n") == Stated(6, "major")
    assert key_of_annotation("0 1 C:maj\n1 2 D:maj\n") is None


def test_mirex_gives_something_for_being_near() -> None:
    c, a_minor = Stated(0, "major"), Stated(9, "minor")
    near = [c, Stated(7, "major"), a_minor, Stated(0, "minor"), Stated(5, "major"), Stated(2, "minor")]
    assert [mirex_score(heard, c) for heard in near] == [1.0, 0.5, 0.3, 0.2, 0.0, 0.0]
    assert mirex_score(c, a_minor) == 0.3


def _piece(split: str = "validation") -> KeyedPiece:
    pitches = (60, 64, 67, 72, 65, 62, 67, 71, 72, 76, 74, 71, 72, 67, 64, 60)
    onsets_s = tuple(0.25 * number for number in range(len(pitches)))
    return KeyedPiece("c.mid", split, "c", Stated(0, "major"), "X", "title", pitches, (0.25,) * len(pitches), onsets_s)


def test_a_short_piece_is_heard_to_its_end_at_every_length() -> None:
    home, now, sure = heard_keys(_piece())
    assert set(home) == set(now) == {"10", "20", "40", "end"}
    assert {*home.values(), *now.values()} == {Stated(0, "major")}
    assert [(one.right, one.close) for one in sure] == [(True, True)] * 2  # after 10 notes, and at the end


def test_shares_are_counted_by_split_and_by_who_says_it() -> None:
    found = measure([_piece(), _piece("train"), _piece("train")], False, lambda line: None)
    assert {name: group["pieces"] for name, group in found["groups"].items()}["X, title"] == 3
    splits = {f"{name}, {split}" for name in ("all", "X, title") for split in ("train", "validation")}
    assert set(found["groups"]) == {"all", "X, title", *splits}
    assert found["sure"][0]["right_above"] == found["sure"][0]["close_above"] == 1.0
    assert found["sure"][0]["share_above"] == 1.0
    assert 0.0 < found["cost_us"]["median"] <= found["cost_us"]["p99"]
    assert found["groups"]["all"]["livemuse"]["end"] == {"exact": 1.0, "mirex": 1.0, "exact_by_composition": 1.0}
    assert found["groups"]["all, train"]["now"]["10"]["exact"] == 1.0
    assert "100.0 (100.0)" in table(json.loads(json.dumps(found)))


def test_music21_hears_one_long_note_a_class_as_it_hears_all() -> None:
    pytest.importorskip("music21")
    piece = _piece()
    classes = sorted({60 + pitch % 12 for pitch in piece.pitches})
    lengths_s = [0.25 * sum(pitch % 12 == c % 12 for pitch in piece.pitches) for c in classes]
    assert music21_key(classes, lengths_s) == music21_key(piece.pitches, piece.durations_s) == Stated(0, "major")


def _write(path: Path, *events: tuple[float, bytes]) -> None:
    notes = [(0.25 * i, bytes((0x90, 60 + i, 64))) for i in range(12)] + [(4.0, bytes((0x80, 60, 0)))]
    path.write_bytes(write_song([Track("piano", sorted([*events, *notes]))]))


def test_pieces_come_from_a_folder_and_from_a_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "mutopia"
    folder.mkdir()
    _write(folder / "Minuet in G major.mid")
    _write(folder / "nobody knows.mid", (0.0, meta(0x59, bytes((256 - 3, 1)))))
    (folder / "broken in C major.mid").write_bytes(b"MThd")
    found = {Path(piece.file).stem: (piece.key, piece.said_by) for piece in keyed_pieces(folder)}
    assert found == {
        "Minuet in G major": (Stated(7, "major"), "title"),
        "nobody knows": (Stated(0, "minor"), "signature"),
    }
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "file,title,source,split\nmutopia/nobody knows.mid,Sonata in E minor,X,train\n", encoding="utf-8"
    )
    assert [piece.key for piece in keyed_pieces(manifest)] == [Stated(4, "minor")]
    assert list(keyed_pieces(manifest, split="validation")) == []
    (tmp_path / "nobody knows").mkdir()
    (tmp_path / "nobody knows" / "key_audio.txt").write_text("0 9 Bb:min\n", encoding="utf-8")
    manifest.write_text("file,title,source,split\nmutopia/nobody knows.mid,song 7,POP909,train\n", encoding="utf-8")
    assert [piece.key for piece in keyed_pieces(manifest, annotations=tmp_path)] == [Stated(10, "minor")]
    with pytest.raises(ValueError, match="neither a manifest nor a folder"):
        list(keyed_pieces(tmp_path / "nothing"))


def test_the_cost_is_told_for_each_part_and_together(tmp_path: Path) -> None:
    _write(tmp_path / "a.mid")
    found = costs_us([tmp_path / "a.mid"] * 2, notes=10)
    assert {name: len(costs) for name, costs in found.items()} == dict.fromkeys((*PARTS, "together"), 20)
    assert found["together"][0] == pytest.approx(sum(found[name][0] for name in PARTS))
    assert all(cost > 0.0 for cost in found["key"])
    assert [line.split()[0] for line in table_of_costs(found).splitlines()[1:]] == [*PARTS, "together"]


def test_profiles_learned_from_scales_find_their_tonic() -> None:
    scale = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11)) * 1.0
    scale[[0, 4, 7]] = 3.0
    minor = np.isin(np.arange(12), (0, 2, 3, 5, 7, 8, 10)) * 1.0
    minor[[0, 3, 7]] = 3.0
    shares = np.array([np.roll(kind, tonic) / kind.sum() for kind in (scale, minor) for tonic in range(12)])
    profiles = fitted(shares, np.arange(24), np.ones(24))
    nats = [[profiles[k // 12] @ np.roll(row, -(k % 12)) for k in range(24)] for row in shares]
    assert np.argmax(nats, 1).tolist() == list(range(24))


def test_annotated_chords_are_read_and_silence_is_left_out() -> None:
    found = labels("0.0 1.0 N\n1.0 2.0 F#:min7/b7\n2.0 3.0 Bb:maj\n3.0 4.0 C:sus4(b7)\n")
    assert found == [(1.0, 2.0, 6, True), (2.0, 3.0, 10, False), (3.0, 4.0, 0, None)]


def test_chords_that_are_right_agree_for_as_long_as_they_sound() -> None:
    played: list[Heard] = []
    for begin_s, chord in ((0.0, (48, 64, 67)), (2.0, (43, 59, 62))):
        for pitch in chord:
            played += [KeyDown(begin_s, 0, pitch, 64), KeyUp(begin_s + 1.9, 0, pitch)]
    played.sort(key=lambda event: (event.at_s, isinstance(event, KeyDown)))
    truth = labels("0 2 C:maj\n2 4 G:maj\n")
    for listen in (heard_chords, held_chords, progression):
        found = agreement(listen(played), truth)
        assert found["annotated"] == pytest.approx(4.0)
        assert found["root"] == pytest.approx(4.0)
        assert found["majmin"] == pytest.approx(4.0)

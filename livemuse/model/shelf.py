"""The shelf: where models lie, and how one is taken from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.errors import ModelError
from livemuse.model.bundle import MANIFEST, ModelInfo, find_models, load_bundle, stepper_of
from livemuse.model.terms import use_of
from livemuse.music.controls import DEFAULT_MODEL

_PACKAGE: Final = Path(__file__).resolve().parent.parent
SHIPPED: Final = (_PACKAGE.parent / "models", _PACKAGE / "shipped_models")  # of a checkout, of a wheel
STAND_INS: Final = ("open",)  # for the default model, where it is not there


class Shelf:
    """Finds models by name in ``folders`` (one's own first, then those that are shipped), or by their folder's path."""

    def __init__(self, own: Path | None = None, shipped: Sequence[Path] = SHIPPED) -> None:
        self._folders = [*([own] if own is not None else []), *shipped]

    def infos(self) -> list[ModelInfo]:
        """Every model there is, also those that cannot be used."""
        return find_models(folder for folder in self._folders if folder.is_dir())

    def models(self) -> Sequence[Mapping[str, Any]]:
        """Every model as plain values: name, family, styles, notes, terms and use, held-out score, hash, problem."""
        return [
            {
                "name": info.name,
                "family": info.family,
                "styles": list(info.styles),
                "trained_on_notes": info.notes,
                "terms": info.licence,
                "use": use_of(info.licence),
                "held_out_unit": info.unit,
                "held_out_nats": info.held_out_nats if info.held_out_nats == info.held_out_nats else None,
                "hash": info.hash,
                "problem": info.problem,
            }
            for info in self.infos()
        ]

    def available(self, name: str) -> str:
        """``name``, or a stand-in for the default model where that is not there."""
        names = (name, *(STAND_INS if name == DEFAULT_MODEL else ()))
        return next((one for one in names if self._by_name(one) is not None), name)

    def find(self, name: str) -> Path:
        """The folder of the model called ``name``, or ``name`` itself where it is a path; ModelError."""
        found = self._by_name(self.available(name))
        if found is not None:
            return found
        path = Path(name).expanduser()
        if path.is_dir() and ("/" in name or (path / MANIFEST).is_file()):
            return path
        known = ", ".join(info.name for info in self.infos()) or "none"
        raise ModelError(f"There is no model called {name[:80]!r}.", f"There is: {known}.")

    def _by_name(self, name: str) -> Path | None:
        if "/" in name or name in (".", ".."):
            return None
        return next((folder / name for folder in self._folders if (folder / name / MANIFEST).is_file()), None)

    def load(self, name: str) -> tuple[Any, Mapping[str, Any]]:
        """The model, checked and warm (a stepper of its family), and what is shown of it.

        That is: name, hash, family, styles (a list of labels), terms in full, and use (the terms in short).
        """
        bundle = load_bundle(self.find(name))
        stepper, info = stepper_of(bundle), bundle.info
        return stepper, {
            "name": stepper.name,
            "hash": stepper.hash,
            "family": info.family,
            "styles": list(bundle.styles),
            "terms": info.licence,
            "use": use_of(info.licence),
        }

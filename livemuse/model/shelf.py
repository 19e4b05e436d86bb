"""The shelf: where models lie, and how one is taken from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.errors import ModelError
from livemuse.model.bundle import MANIFEST, ModelInfo, find_models, load_bundle, stepper_of

_PACKAGE: Final = Path(__file__).resolve().parent.parent
SHIPPED: Final = (_PACKAGE.parent / "models", _PACKAGE / "shipped_models")  # of a checkout, of a wheel


class Shelf:
    """Finds models by name in ``folders`` (one's own first, then those that are shipped), or by their folder's path."""

    def __init__(self, own: Path | None = None) -> None:
        self._folders = [*([own] if own is not None else []), *SHIPPED]

    def infos(self) -> list[ModelInfo]:
        """Every model there is, also those that cannot be used."""
        return find_models(folder for folder in self._folders if folder.is_dir())

    def models(self) -> Sequence[Mapping[str, Any]]:
        """Every model as plain values: name, family, notes, licence, held_out_nats, problem."""
        return [
            {
                "name": info.name,
                "family": info.family,
                "trained_on_notes": info.notes,
                "terms": info.licence,
                "held_out_unit": info.unit,
                "held_out_nats": info.held_out_nats if info.held_out_nats == info.held_out_nats else None,
                "hash": info.hash,
                "problem": info.problem,
            }
            for info in self.infos()
        ]

    def find(self, name: str) -> Path:
        """The folder of the model called ``name``, or ``name`` itself where it is a path; ModelError."""
        for folder in self._folders:
            if "/" not in name and name not in (".", "..") and (folder / name / MANIFEST).is_file():
                return folder / name
        path = Path(name).expanduser()
        if path.is_dir() and ("/" in name or (path / MANIFEST).is_file()):
            return path
        known = ", ".join(info.name for info in self.infos()) or "none"
        raise ModelError(f"There is no model called {name[:80]!r}.", f"There is: {known}.")

    def load(self, name: str) -> tuple[Any, Mapping[str, Any]]:
        """The model, checked and warm (a stepper of its family), and what is shown of it: name, hash, terms."""
        bundle = load_bundle(self.find(name))
        stepper = stepper_of(bundle)
        return stepper, {"name": stepper.name, "hash": stepper.hash, "terms": bundle.info.licence}

"""The one place where the parts are joined: settings, clock, stage and model make an engine that plays.

stage --frames--> engine --tasks--> improviser's thread
                    |  '--records--> journal --at the end--> session's MIDI file
                    '--events--> control socket
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from livemuse import __version__
from livemuse.control.paths import checked_length, runtime_folder, socket_path
from livemuse.control.server import ControlServer
from livemuse.engine.clock import MonotonicClock
from livemuse.engine.desk import EngineDesk
from livemuse.engine.engine import Engine
from livemuse.engine.stagelink import StageLink, StageOptions
from livemuse.engine.worker import PartnerThread
from livemuse.errors import FileError, LivemuseError
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.model.terms import first_told
from livemuse.music.protocols import Clock, Stepper
from livemuse.music.styles import settled_style, unheard
from livemuse.recording.archive import LAST, Archive
from livemuse.recording.journal import SUFFIX, SessionJournal, session_stem
from livemuse.recording.records import FORMAT
from livemuse.recording.sessions import finish, save
from livemuse.settings import Settings, data_folder

_RESTART_S: Final = 0.1  # pause before a stage that died is started again; doubles up to
_RESTART_MOST_S: Final = 2.0
_TROUBLE_EVERY_S: Final = 1.0
_LOG: Final = logging.getLogger("livemuse")


class Daemon:
    """One engine from its start to its end; ``run`` it once."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or MonotonicClock()
        self.shelf = Shelf(data_folder() / "models")
        folder = settings.sessions_folder
        self.archive = Archive(folder)
        self.journal = SessionJournal(folder / (session_stem(folder, datetime.now(UTC)) + SUFFIX))
        self._model = self.shelf.available(settings.controls.text("model"))
        controls = settings.controls.replaced("model", self._model)
        self.engine = Engine(controls, self.clock, self.journal, settings.entries)
        self.engine.facts.session = os.fspath(self.session_file)
        self.engine.sound = settings.sound
        self.engine.on_action = self._on_action
        self.socket = socket_path(settings.name)
        self._server = ControlServer(
            EngineDesk(self.engine, self.shelf, self.archive, self._take_up), self.socket, __version__
        )
        self._ended = asyncio.Event()
        self._improviser: Improviser | None = None
        self._worker: PartnerThread | None = None
        self._link: StageLink | None = None
        self._chores: set[asyncio.Task[None]] = set()

    @property
    def session_file(self) -> Path:
        """Where this session's MIDI file will be."""
        return self.journal.path.with_suffix(".mid")

    async def run(self, ready: Callable[[Mapping[str, Any]], None]) -> None:
        """Play until asked to end; ``ready`` is called with the form of the READY line when it can play."""
        try:
            self._server.claim()  # one engine a name, before anything of another's is touched
            await self._start()
            await self._server.start()
            ready(self.ready())
            await self._ended.wait()
        finally:
            await self._end()

    def end(self) -> None:
        """Ask it to end."""
        self._ended.set()

    def ready(self) -> dict[str, Any]:
        """What the READY line says."""
        link, facts = self._link, self.engine.facts
        return {
            "pid": os.getpid(),
            "stage_pid": link.pid if link else 0,
            "socket": os.fspath(self.socket),
            "api": facts.api,
            "ports": dict(facts.ports),
            "model": facts.model.get("name", ""),
        }

    # --- the parts -----------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        stepper, facts = await asyncio.to_thread(self.shelf.load, self._model)
        duet = self.engine.duet
        duet.controls = duet.controls.replaced("style", settled_style(duet.controls.text("style"), facts["styles"]))
        self._improviser = Improviser(stepper)
        self._worker = PartnerThread(
            self._improviser, asyncio.get_running_loop(), self.engine.on_made, self._improviser_failed
        )
        self.engine.worker = self._worker
        self._write_session_record(facts)
        self.engine.facts.model = facts
        await self._remember()
        self._link = self._new_link()
        await self._link.open()  # from here on the player is heard
        self.engine.stage = self._link
        self.engine.stage_there(self._link.hello, [])
        await self._introduce(facts)
        self._chore(self._watch_disk())
        gc.collect()
        gc.freeze()

    async def _remember(self) -> None:
        """Take up the motifs of the session that was named; the very first evening has none before it."""
        session = self.settings.remember
        if session is not None and (session != LAST or self.archive.sessions()):
            name, earlier = await asyncio.to_thread(self.archive.remembered, session)
            self.engine.remember(earlier, name)

    def _new_link(self) -> StageLink:
        settings = self.settings
        options = StageOptions(settings.name, settings.api, settings.port_in, settings.port_out, settings.sound)
        stage_socket = checked_length(runtime_folder() / f"{settings.name}.stage")
        return StageLink(stage_socket, options, self.engine.on_frame, self._stage_lost)

    def _stage_lost(self) -> None:
        if not self._ended.is_set():
            self._chore(self._restart_stage(self.engine.stage_lost()))

    async def _restart_stage(self, left_sounding: list[int]) -> None:
        pause_s = _RESTART_S
        while not self._ended.is_set():
            link = self._new_link()
            try:
                await link.open({"connections": dict(self.engine.facts.connections)})
            except (LivemuseError, OSError, ValueError, KeyError) as error:  # whatever it is, a stage is needed
                _LOG.warning("the stage could not be started: %s", error)
                pause_s = min(2 * pause_s, _RESTART_MOST_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), pause_s)
                continue
            self._link = self.engine.stage = link
            self.engine.stage_there(link.hello, left_sounding)
            return

    async def _take_up(self, stepper: Stepper, facts: Mapping[str, Any]) -> str:
        """Go on with another model; what is to be said of it."""
        improviser, worker = self._improviser, self._worker
        if improviser is not None and worker is not None:
            worker.put(lambda: improviser.change_model(stepper))
        self.engine.facts.model = facts
        self.journal.write("model", self.clock.now_s(), **_model_fields(facts))
        return await self._introduce(facts)

    async def _introduce(self, facts: Mapping[str, Any]) -> str:
        """Tell everybody what is to be known of the model that plays now, if anything."""
        name, terms = str(facts["name"]), str(facts["terms"])
        told = await asyncio.to_thread(first_told, data_folder(), name, terms)
        if told:
            _LOG.warning("%s", told)
        sentences = [told, unheard(self.engine.duet.controls.text("style"), facts["styles"], name)]
        for sentence in filter(None, sentences):
            self.engine.notice(sentence)
        return " ".join(filter(None, sentences))

    def _write_session_record(self, facts: Mapping[str, Any]) -> None:
        import onnxruntime

        controls = self.engine.duet.controls
        self.journal.write(
            "session", self.clock.now_s(), format=FORMAT, livemuse=__version__, name=self.settings.name,
            started_utc=datetime.now(UTC).isoformat(), seed=controls["seed"], model=_model_fields(facts),
            onnxruntime=onnxruntime.__version__, processor=platform.processor() or platform.machine(),
            controls=dict(controls),
        )  # fmt: skip

    # --- what happens --------------------------------------------------------------------------------------------

    def _on_action(self, action: str) -> None:
        if action == "shutdown":
            self.end()
        elif action == "save":
            self._chore(self._save())

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(save, self.journal.path, self.session_file)
        except FileError as error:
            self.engine.notice(str(error))
        else:
            self.engine.notice(f"Saved to {self.session_file.name}.")

    async def _watch_disk(self) -> None:
        """Say it once when the journal cannot be written, and once when it can be again."""
        said = ""
        while not self._ended.is_set():
            trouble = self.journal.trouble
            if trouble != said:
                said = trouble
                self.engine.facts.recording = not trouble
                self.engine.notice(trouble or "The session is being recorded again.")
            await asyncio.sleep(_TROUBLE_EVERY_S)

    def _improviser_failed(self, error: BaseException) -> None:
        _LOG.error("the improviser failed:\n%s", "".join(traceback.format_exception(error)))
        self.engine.notice("The model stumbled over a note; livemuse goes on listening.")
        self.engine.do("stop")

    def _chore(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # --- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Silence first; then the recording; then everybody is told."""
        self._ended.set()
        if self._link is not None:
            await self._link.quit()
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        if self._worker is not None:
            self._worker.close()
        self.journal.write("end", self.clock.now_s())
        await asyncio.to_thread(self._finish_session)
        await self._server.stop()

    def _finish_session(self) -> None:
        self.journal.close()
        if not self.engine.anything_happened:
            self.journal.path.unlink(missing_ok=True)
            return
        try:
            finish(self.journal.path)
        except FileError as error:
            _LOG.error("%s", error)


def _model_fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(facts.get(key, "")) for key in ("name", "hash", "terms")}


def end_on_signals(daemon: Daemon) -> None:
    """SIGTERM, SIGINT and SIGHUP end it in order: silence, then the session's file."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, daemon.end)


async def run_daemon(settings: Settings) -> None:
    """``livemuse daemon``: print READY when it can play; a signal ends it in order."""
    daemon = Daemon(settings)
    end_on_signals(daemon)

    def ready(fields: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody reads it: play all the same
            sys.stdout.write("READY " + json.dumps(fields) + "\n")
            sys.stdout.flush()

    await daemon.run(ready)

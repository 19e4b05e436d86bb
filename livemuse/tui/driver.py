"""The terminal's end of the console, made patient: a key that is not UTF-8 must not be the last one that is heard."""

import os
import select
import signal
import sys
import threading

from textual.driver import Driver


def patient_driver() -> type[Driver] | None:
    """The driver to use here; None leaves the choice to Textual."""
    if sys.platform == "win32":
        return None
    from textual.drivers.linux_driver import LinuxDriver

    class PatientDriver(LinuxDriver):
        """Starts reading again after a byte that a Latin-1 terminal, or a cat on the keyboard, has sent."""

        def run_input_thread(self) -> None:
            """Read keys until the console ends; what cannot be decoded is passed over."""
            while not self.exit_event.is_set():
                try:
                    super().run_input_thread()
                except UnicodeDecodeError:
                    continue
                except OSError:  # the terminal is gone
                    return

    return PatientDriver


def watch_terminal(descriptor: int) -> None:
    """End the console when its terminal hangs up: where it is not the controlling one, no signal tells."""
    if not sys.platform.startswith("linux"):
        return

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, 0)  # a hang-up is told without asking
        for _, event in poll.poll():
            if event & (select.POLLHUP | select.POLLERR):
                os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=watch, name="terminal", daemon=True).start()

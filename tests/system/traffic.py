"""Background traffic of a test: threads, each of which repeats one action."""

import collections
import contextlib
import threading
import time
import traceback
from typing import NamedTuple

from programs import PATIENCE_S


class Failure(NamedTuple):
    at_s: float  # seconds since the traffic began
    action: str
    text: str


class Traffic(contextlib.AbstractContextManager):
    """Runs each of `actions` (by name) in its own thread, again and again with a pause, until stop(). An
    action that raises has failed. Keeps all failures; a failure does not end its thread."""

    def __init__(self, actions, pause_s):
        self.counts = collections.Counter()  # successes, by action
        self.failures = []
        self._begin = time.monotonic()
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=item, name=item[0], daemon=True)
                         for item in actions.items()]
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_):
        self._stopping.set()

    def now_s(self):
        return time.monotonic() - self._begin

    def stop(self):
        """Stops all threads after their current action."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
            if thread.is_alive():
                raise AssertionError(f"the action {thread.name} does not end")

    def _repeat(self, name, action):
        while not self._stopping.is_set():
            at_s = self.now_s()
            try:
                action()
                self.counts[name] += 1
            except Exception:
                self.failures.append(Failure(at_s, name, traceback.format_exc(limit=-2)))
            self._stopping.wait(self._pause_s)

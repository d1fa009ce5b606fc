"""The programs under test: paths, runs, and the removal of all that they leave."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ["AGENTPKI_BIN"])
SANITIZE = os.environ.get("AGENTPKI_SANITIZE", "")  # "", address or thread, from CMake

SERVER = BIN / "agentpki-server"
CLI = BIN / "agentpki"
RAW_CLIENT = BIN / "raw_client"
SHIFTED_CLOCK = BIN / "shifted_clock.so"
PRIVATE_POSTGRES = ROOT / "tools/private-postgres"

# The limit for an event that should happen at once. Sanitizers make a program ten times slower.
PATIENCE_S = 90 if SANITIZE else 30

SANITIZER_REPORTS = ("ThreadSanitizer", "AddressSanitizer", "LeakSanitizer", "runtime error:")


def environment(is_server=False, **changes):
    """Returns the environment for our programs, without the caller's variables that change their
    behaviour."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AGENTPKI_", "GRPC_", "PG", "SOFTHSM2_"))}
    here = Path(__file__).parent
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "PATH": f"/usr/lib/postgresql/15/bin:{kept['PATH']}",
        # Debian's gRPC is not instrumented, so ThreadSanitizer does not see its synchronisation.
        "TSAN_OPTIONS": f"ignore_noninstrumented_modules=1 suppressions={here}/thread.supp",
        # shifted_clock.so may be loaded before the sanitizer's runtime. Only servers check for leaks,
        # because a client exits before gRPC's threads end.
        "ASAN_OPTIONS": f"verify_asan_link_order=0 detect_leaks={int(is_server)}",
        "LSAN_OPTIONS": f"suppressions={here}/leak.supp print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        **changes,
    }


def run(*words, check=False, **options):
    """Runs a program to its end. Input and output are text, unless text=False."""
    options = {"env": environment(), "timeout": PATIENCE_S, **options}
    if options.pop("text", True):
        options |= {"encoding": "utf-8", "errors": "replace"}
    if "input" not in options and "stdin" not in options:
        options["stdin"] = subprocess.DEVNULL
    done = subprocess.run([str(word) for word in words], capture_output=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))} failed with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    return done


def spawn(*words, **options):
    """Starts a program that the kernel kills when this process ends."""
    options = {"env": environment(), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *(str(word) for word in words)], **options)


def kill(process):
    """Kills a process that we started, and waits for its end."""
    process.kill()
    process.communicate()


def wait_until(condition, outcome, seconds=PATIENCE_S):
    """Waits until `condition()` is true; returns its value. `outcome` is a sentence for the failure."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {outcome}")
        time.sleep(0.02)
    return value


def free_port():
    """Returns an unused port below the range that the kernel gives to connections."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts(port):
    """Returns whether a program listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class TemporaryFolder:
    """A folder that can hold a PostgreSQL cluster.

    close() removes it. If this process dies first, a cleaner removes it: a shell that waits for the end
    of a pipe whose other end we hold. The cleaner is no child of ours, so a kill of this process and
    its children leaves it alive.
    """

    _CLEANER = """
        exec 3<&0
        (cat <&3; "$0" destroy "$1/postgres"; rm -rf "$1") >/dev/null 2>&1 &
    """

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="agentpki-system."))
        self.path.chmod(0o711)  # so that PostgreSQL's own user can reach the cluster
        self._cleaner = subprocess.Popen(
            ["setsid", "bash", "-c", self._CLEANER, PRIVATE_POSTGRES, self.path],
            stdin=subprocess.PIPE)
        self._cleaner.wait()

    def close(self):
        run(PRIVATE_POSTGRES, "destroy", self.path / "postgres", check=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self._cleaner.stdin.close()

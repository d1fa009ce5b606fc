"""The programs under test: where they are, how they are run, how nothing of them is left behind."""

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
SANITIZE = os.environ.get("AGENTPKI_SANITIZE", "")  # as CMake has it: "", address or thread

SERVER = BIN / "agentpki-server"
CLI = BIN / "agentpki"
RAW_CLIENT = BIN / "raw_client"
SHIFTED_CLOCK = BIN / "shifted_clock.so"
PRIVATE_POSTGRES = ROOT / "tools/private-postgres"

# How long to wait for what should happen at once. Sanitizers make a program ten times slower.
PATIENCE_S = 90 if SANITIZE else 30

SANITIZER_REPORTS = ("ThreadSanitizer", "AddressSanitizer", "LeakSanitizer", "runtime error:")


def environment(is_server=False, **changes):
    """What our programs inherit: nothing of the caller's that could change what they do."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AGENTPKI_", "GRPC_", "PG", "SOFTHSM2_"))}
    here = Path(__file__).parent
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "PATH": f"/usr/lib/postgresql/15/bin:{kept['PATH']}",
        # Debian's gRPC is not instrumented, so ThreadSanitizer does not see how it synchronises.
        "TSAN_OPTIONS": f"ignore_noninstrumented_modules=1 suppressions={here}/thread.supp",
        # shifted_clock.so is loaded before the sanitizer's runtime, and may be. Leaks are looked for
        # in servers: a client's end does not wait for gRPC's threads.
        "ASAN_OPTIONS": f"verify_asan_link_order=0 detect_leaks={int(is_server)}",
        "LSAN_OPTIONS": f"suppressions={here}/leak.supp print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        **changes,
    }


def run(*words, check=False, **options):
    """Runs a program to its end. What it reads and prints is text, unless text=False."""
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
    """Starts a program that dies with us, even when nobody gets to stop it."""
    options = {"env": environment(), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *(str(word) for word in words)], **options)


def kill(process):
    """SIGKILL for a process of ours, and its end."""
    process.kill()
    process.communicate()


def wait_until(condition, what, seconds=PATIENCE_S):
    """Waits for `condition()` to be true, and returns what it is then."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{seconds} s went by, and not yet: {what}")
        time.sleep(0.02)
    return value


def free_port():
    """A port that nobody listens on, below those that the kernel gives to connections."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts(port):
    """Whether somebody listens there, on loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class TemporaryFolder:
    """A folder in which a PostgreSQL cluster may live.

    It goes when it is closed, and also when this process dies: somebody waits for the end of a pipe
    whose other end we hold. He has no parent, so whoever kills us and our children misses him.
    """

    _UNDERTAKER = """
        exec 3<&0
        (cat <&3; "$0" destroy "$1/postgres"; rm -rf "$1") >/dev/null 2>&1 &
    """

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="agentpki-system."))
        self.path.chmod(0o711)  # PostgreSQL's own user walks through
        self._undertaker = subprocess.Popen(
            ["setsid", "bash", "-c", self._UNDERTAKER, PRIVATE_POSTGRES, self.path],
            stdin=subprocess.PIPE)
        self._undertaker.wait()

    def close(self):
        run(PRIVATE_POSTGRES, "destroy", self.path / "postgres", check=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self._undertaker.stdin.close()

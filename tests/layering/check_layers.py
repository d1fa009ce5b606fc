#!/usr/bin/env python3
"""Checks that every #include follows the arrows of DESIGN.md, section Folders.

usage: check_layers.py [ROOT]      exits 1 and names each violation as file:line
"""

import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# ---- the rules, from the bottom up ------------------------------------------

PROTO = ["proto"]
WORDS = ["ca/base"]
STORY = ["ca"] + WORDS
CEREMONY = ["ca/ceremony"]
FILES = ["ca/files"]
ADAPTERS = ["hsm", "db", "crl", "ocsp", "audit"]

# What a layer may include besides itself. A file belongs to the longest name
# that its path starts with; what no name matches has no layer.
MAY_INCLUDE = {
    "proto": [],
    "ca/base": [],
    "ca": WORDS,
    "ca/ceremony": STORY,
    "ca/files": STORY + CEREMONY + PROTO,
    "hsm": STORY,
    "db": STORY,
    "crl": STORY,
    "ocsp": STORY,
    "audit": STORY,
    "ca/server": STORY + FILES + ADAPTERS + PROTO,
    "tools": STORY + FILES + PROTO,
    # The one tool that signs.
    "tools/agentpki-ceremony": STORY + CEREMONY + FILES + PROTO + ["hsm", "crl", "tools"],
}

# tests/ may include anything, and nothing else may include tests/.
TESTS = "tests"


class Library(NamedTuple):
    name: str
    headers: str  # a regular expression for the start of an include
    stays_in: list


EDGE = ["ca/server", "tools"]
MESSAGES = ["ca/files"] + EDGE + ["tools/agentpki-ceremony"]
LIBRARIES = [
    Library("gRPC", r"grpc/|grpcpp/|grpc\+\+/", EDGE),
    Library("Protocol Buffers", r"google/(protobuf|rpc)/", MESSAGES),
    Library("spdlog", r"spdlog/", EDGE),
    Library("Boost", r"boost/", EDGE),
    Library("prometheus-cpp", r"prometheus/", EDGE),
    Library("yaml-cpp", r"yaml-cpp/", FILES),
    Library("PostgreSQL", r"pqxx/|libpq-fe\.h|libpq/|postgresql/", ["db"]),
    Library("PKCS#11", r"libp11\.h|p11_err\.h|p11-kit|pkcs11", ["hsm"]),
]

TOP_LEVEL = {
    "CMakeLists.txt", "README.md",
    "ca", "proto", "hsm", "crl", "ocsp", "db", "audit",
    "tests", "tools", "deploy", "docs",
}  # and dotfiles

# ---- the check --------------------------------------------------------------

SOURCE = re.compile(r"\.(h|hh|hpp|inc|ipp|c|cc|cpp|cxx)$")
INCLUDE = re.compile(r'^\s*#\s*(?:include|include_next|import)\s*["<]([^">]+)[">]')


def layer_of(path):
    """The layer that a path from the root belongs to, or None."""
    layers = [*MAY_INCLUDE, TESTS]
    return max((l for l in layers if path.startswith(l + "/")), key=len, default=None)


def included_path(include, source, files):
    """The path from the root of what `include` names when `source` says it."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(source), include))
    return beside if include.startswith(".") or beside in files else posixpath.normpath(include)


def refusal(source, include, files):
    """Why `source` may not include `include`, or None if it may."""
    own = layer_of(source)
    if own is None or own == TESTS:
        return None

    for library in LIBRARIES:
        if re.match(library.headers, include) and own not in library.stays_in:
            return f"{library.name} stays in {' and '.join(library.stays_in)}"

    # protoc's output is found by its name, wherever the build puts it.
    target = included_path(include, source, files)
    if re.search(r"\.pb\.h$", target):
        library = re.match(r"google/", target)
        allowed = library or own == "proto" or "proto" in MAY_INCLUDE[own]
        return None if allowed else f"generated .pb.h files stay in {', '.join(MESSAGES)}"

    other = layer_of(target)
    if other is None or other == own or other in MAY_INCLUDE[own]:
        return None
    if other == TESTS:
        return "nothing outside tests may include tests"
    return f"{own} may include {', '.join(MAY_INCLUDE[own]) or 'itself'} only"


def violations(root):
    """All violations below `root`, as printable lines."""
    files = project_files(root)
    for name in sorted({path.split("/")[0] for path in files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield (f"{name}:1: a new name at the top level; it belongs into one of "
                   f"{', '.join(sorted(TOP_LEVEL))} (DESIGN.md, Folders)")
    for path in sorted(files):
        if not SOURCE.search(path):
            continue
        lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            include = INCLUDE.match(line)
            why = include and refusal(path, include[1], files)
            if why:
                yield f"{path}:{number}: {path} includes {include[1]}: {why} (DESIGN.md, Folders)"


def project_files(root):
    """The project's files as paths from the root: what git tracks or would add."""
    git = ["git", "-C", str(root), "-c", f"safe.directory={root.resolve()}", "ls-files", "-z",
           "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0")
        return {path for path in listed if path and (root / path).is_file()}
    # A copy without git, such as an unpacked archive.
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths
            if path.parts[0] not in ("build", ".dev", "compile_commands.json")}


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    found = list(violations(root))
    print("\n".join(found) if found else "every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

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

# The rooms that a room may include besides itself. A file belongs to the longest name that its path starts with;
# a file that no name matches has no room.
MAY_INCLUDE = {"proto": [], "ca/base": []}


def room(name, *over):
    """Lets `name` include the rooms `over` and all that they may include."""
    below = [*over, *(below for other in over for below in MAY_INCLUDE[other])]
    MAY_INCLUDE[name] = list(dict.fromkeys(below))


room("ca/x509", "ca/base")
room("ca/model", "ca/x509")
room("ca/issuance", "ca/model")
room("ca/ports", "ca/issuance")
room("ca/ceremony", "ca/ports")
room("ca/catalog", "ca/ports")
room("ca/access", "ca/catalog")
room("ca/certificates", "ca/access")
room("ca/authorities", "ca/access")
room("ca/hierarchies", "ca/certificates", "ca/authorities")
room("ca/files", "ca/hierarchies", "ca/ceremony", "proto")

# Adapters and products: they never include each other.
room("hsm", "ca/issuance")
room("db", "ca/ports")
room("crl", "ca/catalog")
room("ocsp", "ca/catalog")
room("audit", "ca/ports")
room("token", "ca/catalog")

room("ca/server/http", "ca/base")
room("ca/server/telemetry", "ca/server/http", "ca/hierarchies", "crl", "ocsp")
room("ca/server/status", "ca/server/telemetry")
room("ca/server/upkeep", "ca/server/status", "db", "audit")
room("ca/server/rpc", "ca/server/upkeep", "ca/files", "token")
room("ca/server/run", "ca/server/rpc", "hsm")
room("ca/server", "ca/server/run")

room("tools/client", "ca/certificates", "proto")
room("tools/agentpki", "tools/client", "ca/files")
room("tools/agentpki-bench", "tools/client")
room("tools/agentpki-ceremony", "tools/client", "ca/files", "hsm", "crl")  # the one tool that signs

# Files directly in these folders have no room, so they are refused.
NEED_A_ROOM = {"ca", "tools"}

# tests/ may include anything, and nothing else may include tests/.
TESTS = "tests"


class Library(NamedTuple):
    name: str
    headers: str  # a regular expression for the start of an include
    stays_in: list


EDGE = [name for name in MAY_INCLUDE if name.startswith("ca/server")]
TOOLS = ["tools/client", "tools/agentpki", "tools/agentpki-bench"]
CALLS = ["ca/server/rpc", "ca/server/run", *TOOLS]
MESSAGES = ["ca/files", *CALLS, "tools/agentpki-ceremony"]
LIBRARIES = [
    Library("gRPC", r"grpc/|grpcpp/|grpc\+\+/", CALLS),
    Library("Protocol Buffers", r"google/(protobuf|rpc)/", MESSAGES),
    Library("spdlog", r"spdlog/", EDGE),
    Library("Boost", r"boost/", [*EDGE, *TOOLS]),
    Library("prometheus-cpp", r"prometheus/", ["ca/server/telemetry"]),
    Library("yaml-cpp", r"yaml-cpp/", ["ca/files"]),
    Library("PostgreSQL", r"pqxx/|libpq-fe\.h|libpq/|postgresql/", ["db"]),
    Library("PKCS#11", r"libp11\.h|p11_err\.h|p11-kit|pkcs11", ["hsm"]),
]

TOP_LEVEL = {
    "CMakeLists.txt", "README.md",
    "ca", "proto", "hsm", "crl", "ocsp", "db", "audit", "token", "clients",
    "tests", "tools", "deploy", "docs",
}  # and dotfiles

# ---- the check --------------------------------------------------------------

SOURCE = re.compile(r"\.(h|hh|hpp|inc|ipp|c|cc|cpp|cxx)$")
INCLUDE = re.compile(r'^\s*#\s*(?:include|include_next|import)\s*["<]([^">]+)[">]')


def room_of(path):
    """The room that a path from the root belongs to, or None."""
    rooms = [*MAY_INCLUDE, TESTS]
    return max((room for room in rooms if path.startswith(room + "/")), key=len, default=None)


def module_of(path):
    """A header and its source are one module: ca/base/clock for ca/base/clock.h."""
    return SOURCE.sub("", path)


def circles(edges):
    """The circles among modules, each as a list that begins and ends with the same module.

    `edges` maps a module to the modules that it includes.
    """
    done, found = set(), []

    def visit(module, path):
        if module in path:
            circle = path[path.index(module):] + [module]
            if not any(set(circle) == set(other) for other in found):
                found.append(circle)
            return
        if module in done:
            return
        for other in sorted(edges.get(module, ())):
            visit(other, [*path, module])
        done.add(module)

    for module in sorted(edges):
        visit(module, [])
    return found


def included_path(include, source, files):
    """The path from the root of what `include` names when `source` says it."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(source), include))
    return beside if include.startswith(".") or beside in files else posixpath.normpath(include)


def refusal(source, include, files):
    """Why `source` may not include `include`, or None if it may."""
    own = room_of(source)
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

    other = room_of(target)
    if other == TESTS:
        return "nothing outside tests may include tests"
    if other is None and target.split("/")[0] in NEED_A_ROOM and "/" in target:
        return f"{target} is in no room"
    if other is None or other == own or other in MAY_INCLUDE[own]:
        return None
    return f"{own} may include {', '.join(MAY_INCLUDE[own]) or 'itself'} only"


def violations(root):
    """All violations below `root`, as printable lines."""
    files = project_files(root)
    for name in sorted({path.split("/")[0] for path in files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield (f"{name}:1: a new name at the top level; it belongs into one of "
                   f"{', '.join(sorted(TOP_LEVEL))} (DESIGN.md, Folders)")
    sources = sorted(path for path in files if SOURCE.search(path))
    edges = {}
    for path in sources:
        if path.split("/")[0] in NEED_A_ROOM and room_of(path) is None:
            yield f"{path}:1: {path} is in no room; move it into one (DESIGN.md, Folders)"
        lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            include = INCLUDE.match(line)
            if include:
                edges.setdefault(module_of(path), set()).add(
                    module_of(included_path(include[1], path, files)))
            why = include and refusal(path, include[1], files)
            if why:
                yield f"{path}:{number}: {path} includes {include[1]}: {why} (DESIGN.md, Folders)"
    modules = {module_of(path) for path in sources}
    own = {module: {other for other in others if other in modules and other != module}
           for module, others in edges.items()}
    for circle in circles(own):
        yield (f"{circle[0]}:1: a circle: {' -> '.join(circle)}; move what they share into a file of its own "
               "(DESIGN.md, Folders)")


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

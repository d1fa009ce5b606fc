#!/usr/bin/env python3
"""Finds sentences that a reader has to read twice.

Every sentence has its subject first, and the actor is the subject: "if", "a caller that" and "each",
not "who", "what" and "whoever". Write the field's word, not ours.

usage: check_prose.py [ROOT]      exits 1 and names each sentence as file:line

Reads the comments of our sources, and the text of our documents. A sentence is refused when it
begins with What, Who, Whoever or Whom and is no question; when it is a fragment that begins with
"Of"; or when it has one of the phrases that the field says otherwise.
"""

import re
import subprocess
import sys
from pathlib import Path

# ---- the rules --------------------------------------------------------------

BEGINNINGS = re.compile(r"^(What|Whatever|Who|Whoever|Whom|Whomever)\b")
# "Of two who ask at once both get the same." A sentence of the form "Of the N, ..." is a fragment, too.
FRAGMENT = re.compile(r"^Of (a|an|all|any|both|each|every|its|several|some|that|the|these|this|those|two|"
                      r"what|which|whom|whoever|one|none|our|ours|somebody|nobody)\b")
PHRASES = re.compile(r"\b(of two who|stands? no more|whose certificate stands|who(ever)? asks? (first|second)|"
                     r"wants a restart|with whom it|is lacking|lacks? its key)\b", re.IGNORECASE)

COMMENTS = {  # how a line of comment begins, by the end of the file's name
    ".h": r"//", ".cc": r"//", ".proto": r"//", ".sql": r"--",
    ".py": r"#", ".cmake": r"#", ".txt": r"#", ".yaml": r"#", ".service": r"#",
}
DOCUMENTS = {".md"}
# A database remembers the digest of each migration that it applied, comments included, so their text
# never changes.
SKIPPED = re.compile(r"^(tests/prose/|db/migrations/|tests/fuzz/corpus/|tests/system/relying_parties/.*\.(sum|lock)$)")

# ---- reading ----------------------------------------------------------------


def paragraphs_of_comments(lines, mark):
    """Yields (line number, text) of each run of comment lines, without the marks."""
    whole = re.compile(rf"^\s*(?:{mark})+\s?(.*)$")
    trailing = re.compile(rf"^.*\S\s+(?:{mark})+<?\s(.*)$") if mark == "//" else None
    paragraph, first = [], 0
    for number, line in enumerate([*lines, ""], start=1):
        match = whole.match(line)
        text = match[1].strip() if match else None
        if text and re.match(r"^(----|====|!)", text):
            text = ""
        if text:
            if not paragraph:
                first = number
            paragraph.append(text)
            continue
        if paragraph:
            yield first, " ".join(paragraph)
            paragraph = []
        beside = trailing.match(line) if trailing and not match else None
        if beside and '"' not in line:
            yield number, beside[1].strip()


def paragraphs_of_document(lines):
    """Yields (line number, text) of each paragraph, list item and table cell."""
    paragraph, first, in_code = [], 0, False
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip().startswith("```"):
            in_code = not in_code
        if in_code or line.strip().startswith("```"):
            continue
        starts = re.match(r"^\s*(?:[-*]|\d+\.|#+)\s+(.*)$", line)
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else None
        if paragraph and (starts or cells or not line.strip()):
            yield first, " ".join(paragraph)
            paragraph = []
        if cells:
            yield from ((number, cell) for cell in cells if cell)
        elif line.strip():
            if not paragraph:
                first = number
            paragraph.append(starts[1] if starts else line.strip())


def sentences(text):
    """The sentences of a paragraph, without emphasis and code marks at their beginning."""
    return [sentence.strip().lstrip("*_`(\"'") for sentence in re.split(r"(?<=[.!?:])\s+", text)]


def refusal(sentence):
    """Why a sentence is refused, or None."""
    if BEGINNINGS.match(sentence) and not sentence.rstrip('"*_`)').endswith("?"):
        return "put the subject first"
    if FRAGMENT.match(sentence):
        return "a fragment: write subject, verb, object"
    if PHRASES.search(sentence):
        return "use the field's word"
    return None


def findings(root):
    """All refused sentences below `root`, as printable lines."""
    git = ["git", "-C", str(root), "-c", f"safe.directory={root.resolve()}", "ls-files", "-z",
           "--cached", "--others", "--exclude-standard"]
    for path in sorted(filter(None, subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0"))):
        suffix = Path(path).suffix
        file = root / path
        if SKIPPED.search(path) or not file.is_file() or suffix not in COMMENTS.keys() | DOCUMENTS:
            continue
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        paragraphs = paragraphs_of_document(lines) if suffix in DOCUMENTS else \
            paragraphs_of_comments(lines, COMMENTS[suffix])
        for number, text in paragraphs:
            for sentence in sentences(text):
                why = refusal(sentence)
                if why:
                    yield f"{path}:{number}: {why}: {sentence[:100]}"


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    found = list(findings(root))
    print("\n".join(found) if found else "no sentence has to be turned around")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Compiles a file that says which of its lines must not compile, and why.

usage: does_not_compile.py FILE COMPILER [FLAGS...]

As it is, the file must compile. With -DFORBIDDEN, each line that ends in `// error: WORDS` must be
an error with these words, and no other line may be one.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

MARK = re.compile(r"//\s*error: (.+)$")
ERROR = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?:fatal )?error: (?P<words>.+)$", re.M)


def compile_file(command, file, *flags):
    result = subprocess.run([*command, "-fsyntax-only", *flags, file], capture_output=True, text=True,
                            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    return result.returncode, result.stderr


def main():
    file, *command = sys.argv[1:]
    lines = enumerate(Path(file).read_text(encoding="utf-8").splitlines(), start=1)
    wanted = {number: MARK.search(line)[1].strip() for number, line in lines if MARK.search(line)}
    if not wanted:
        sys.exit(f"{file}: no line is marked with `// error: WORDS`")

    status, said = compile_file(command, file)
    if status != 0:
        sys.exit(f"{file} does not compile as it is:\n{said}")

    status, said = compile_file(command, file, "-DFORBIDDEN")
    errors = defaultdict(list)
    wrong = []
    for error in ERROR.finditer(said):
        number = int(error["line"])
        if error["file"] == file and number in wanted:
            errors[number].append(error["words"])
        else:
            wrong.append(f"not expected: {error[0]}")
    for number, words in wanted.items():
        if not errors[number]:
            wrong.append(f"{file}:{number}: it compiles, and must not")
        elif not any(words in error for error in errors[number]):
            wrong.append(f"{file}:{number}: it fails for another reason: {errors[number]}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(wanted)} lines do not compile, each for its reason, and the rest does")


if __name__ == "__main__":
    main()

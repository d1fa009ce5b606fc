#!/usr/bin/env python3
"""Plants each kind of sentence that is refused, and its like that is not; then reads our own tree."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import check_prose

REFUSED = [
    ("ca/x.h", "// What was refused was not recorded.", "put the subject first"),
    ("ca/x.h", "int x;  // Whoever holds it may go on.", "put the subject first"),
    ("ca/x.cc", "// It is durable. Of two who race, one wins.", "a fragment"),
    ("ca/x.h", "// Of each\n// authority, the newest.", "a fragment"),
    ("proto/x.proto", "// Until its certificate stands no more.", "use the field's word"),
    ("db/x.sql", "-- Who there is.", "put the subject first"),
    ("tools/x.py", "# Whom it does not name has no quota.", "put the subject first"),
    ("docs/x.md", "| field | What it may be. |", "put the subject first"),
    ("docs/x.md", "- Of all hierarchies, the oldest.", "a fragment"),
]
ACCEPTED = [
    ("ca/x.h", "// A refusal records nothing, so clear the serial."),
    ("ca/x.h", "// The authority that issues now, and of each root the newest CRL."),
    ("ca/x.cc", 'const char* text = "// What is this";'),
    ("docs/x.md", "What does it cost?"),
    ("docs/x.md", "```\nWhat a program prints is not ours.\n```"),
    ("docs/x.md", "Official images are not built yet. Often a restart suffices."),
]


class CheckProseTest(unittest.TestCase):
    def found(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            subprocess.run(["git", "init", "--quiet", folder], check=True)
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(text + "\n")
            return list(check_prose.findings(root))

    def test_each_planted_sentence_is_found(self):
        for path, text, why in REFUSED:
            with self.subTest(text=text):
                found = self.found(path, text)
                self.assertEqual(len(found), 1, found)
                self.assertIn(why, found[0])
                self.assertTrue(found[0].startswith(f"{path}:1: "), found)

    def test_other_sentences_pass(self):
        for path, text in ACCEPTED:
            with self.subTest(text=text):
                self.assertEqual(self.found(path, text), [])

    def test_our_own_sentences_have_their_subject_first(self):
        self.assertEqual(list(check_prose.findings(Path(__file__).resolve().parents[2])), [])


if __name__ == "__main__":
    unittest.main()

"""The offline root: agentpki-ceremony on a real token, without a server. openssl judges its products, and
signs the leaves that test its name constraints."""

import hashlib
import json
import random
import re
import secrets
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import openssl
from programs import BIN, SANITIZE, SANITIZER_REPORTS, environment, kill, run, spawn

CEREMONY = BIN / "agentpki-ceremony"
HSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"
DONE, REFUSED, USAGE, WAITS = 0, 1, 64, 75
TRUST_DOMAIN = "prod.acme.example"
PROMPT = "Type yes: "
RUN_S = 1.2 if SANITIZE else 0.12  # the approximate duration of a whole run


class CeremonyTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="agentpki-ceremony."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = self.folder / "acme.yaml"
        self.transcript = self.folder / "transcript.jsonl"
        self.make_token()
        self.key = self.new_issuing(1)
        self.spec = {
            "name": "acme-prod-root-2026",
            "hierarchy": {"tenant": "acme", "environment": "prod", "trust_domain": TRUST_DOMAIN,
                          "dns_subtrees": ["svc.acme.example"], "ip_ranges": ["192.0.2.0/24"]},
            "token": {"module": HSM_MODULE, "token_label": "acme-root", "pin_file": "pin"},
            "root": {"key_label": "acme-prod-root-1", "lifetime": "3650d",
                     "certificate": "root.pem"},
            "issuing": [self.issuing(1)],
            "crls": [{"file": "root-1.crl", "lifetime": "180d"}],
            "transcript": "transcript.jsonl",
            "witnesses": ["Ada Lovelace", "Grégoire"],
        }

    # ---- arrangement ------------------------------------------------------------------------------

    def make_token(self):
        (self.folder / "tokens").mkdir(mode=0o700)
        (self.folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.folder}/tokens\nlog.level = ERROR\n")
        self.environment = environment(SOFTHSM2_CONF=str(self.folder / "softhsm2.conf"))
        self.pin = secrets.token_hex(16)
        (self.folder / "pin").touch(mode=0o600)
        (self.folder / "pin").write_text(self.pin)
        run("softhsm2-util", "--init-token", "--free", "--label", "acme-root",
            "--so-pin", secrets.token_hex(16), "--pin", self.pin, env=self.environment, check=True)

    def new_issuing(self, generation):
        key = openssl.new_key(self.folder / f"issuing-{generation}.key")
        openssl.new_csr(self.folder / f"issuing-{generation}.csr", key)
        return key

    def issuing(self, generation, pinned=True):
        entry = {"generation": generation, "csr": f"issuing-{generation}.csr",
                 "certificate": f"issuing-{generation}.pem", "lifetime": "365d",
                 "crl": "http://pki.acme.example/root.crl"}
        return entry | ({"key_sha256": self.key_digest(generation)} if pinned else {})

    def key_digest(self, generation):
        der = openssl.openssl("req", "-in", self.folder / f"issuing-{generation}.csr", "-noout",
                              "-pubkey")
        spki = run("openssl", "pkey", "-pubin", "-outform", "DER", input=der.encode(), text=False,
                   check=True).stdout
        return hashlib.sha256(spki).hexdigest()

    def write(self):
        self.file.write_text(json.dumps(self.spec, indent=2))

    def ceremony(self, verb, *words, expect=DONE, **options):
        self.write()
        done = run(CEREMONY, verb, "-f", self.file, *words, env=self.environment, **options)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        for report in SANITIZER_REPORTS:
            self.assertNotIn(report, done.stderr)
        return done

    def run_all(self, **options):
        return self.ceremony("run", "--yes", **options)

    def lines(self):
        return [json.loads(line) for line in self.transcript.read_text().splitlines()]

    def states(self, expect=DONE):
        plan = json.loads(self.ceremony("plan", "--output", "json", expect=expect).stdout)
        return {step["name"]: step["state"] for step in plan["steps"]}

    def private_keys(self):
        """Returns the private keys with the root's label, as pkcs11-tool shows them. After an
        interrupted generation SoftHSM2 may keep a part of a key without a label; it is not listed."""
        shown = run("pkcs11-tool", "--module", HSM_MODULE, "--token-label", "acme-root", "--login",
                    "--pin", self.pin, "--list-objects", "--type", "privkey", env=self.environment,
                    check=True).stdout
        objects = shown.split("Private Key Object")[1:]
        return [key for key in objects if re.search(r"label: +acme-prod-root-1$", key, re.M)]

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def verify_issuing(self, generation, crl):
        """Verifies an issuing authority's certificate by openssl with a CRL of the root."""
        return run("openssl", "verify", "-x509_strict", "-check_ss_sig", "-crl_check",
                   "-CRLfile", self.folder / crl, "-CAfile", self.folder / "root.pem",
                   self.folder / f"issuing-{generation}.pem")

    def verify_leaf(self, names):
        """Signs a leaf with these names by the issuing key, and verifies it, both by openssl."""
        key = openssl.new_key(self.folder / "leaf.key")
        openssl.new_csr(self.folder / "leaf.csr", key)
        (self.folder / "leaf.cnf").write_text(
            f"subjectAltName = critical, {names}\nkeyUsage = critical, digitalSignature\n"
            "extendedKeyUsage = clientAuth\nsubjectKeyIdentifier = hash\n"
            "authorityKeyIdentifier = keyid\nbasicConstraints = critical, CA:FALSE\n")
        openssl.openssl("x509", "-req", "-in", self.folder / "leaf.csr", "-days", "1",
                        "-CA", self.folder / "issuing-1.pem", "-CAkey", self.key,
                        "-extfile", self.folder / "leaf.cnf", "-out", self.folder / "leaf.pem")
        return run("openssl", "verify", "-x509_strict", "-purpose", "sslclient",
                   "-CAfile", self.folder / "root.pem", "-untrusted", self.folder / "issuing-1.pem",
                   self.folder / "leaf.pem")

    # ---- products ---------------------------------------------------------------------------------

    def test_openssl_trusts_the_root_and_its_products(self):
        said = self.run_all().stdout
        judged = self.verify_issuing(1, "root-1.crl")
        self.assertEqual(judged.returncode, 0, judged.stderr)
        self.assertEqual(openssl.public_key(self.folder / "issuing-1.pem"),
                         openssl.public_key(self.key))
        text = openssl.certificate_text(self.folder / "root.pem")
        self.assertIn("Subject: O = acme, OU = prod, CN = root authority 1", text)
        self.assertNotIn("Name Constraints", text)
        text = openssl.certificate_text(self.folder / "issuing-1.pem")
        self.assertIn("Subject: O = acme, OU = prod, CN = issuing authority 1", text)
        self.assertIn("URI:http://pki.acme.example/root.crl", text)
        self.assertIn("CA:TRUE, pathlen:0", text)
        crl = openssl.openssl("crl", "-in", self.folder / "root-1.crl", "-noout", "-text")
        self.assertIn("No Revoked Certificates", crl)
        self.assertIn("X509v3 CRL Number: \n                1\n", crl)
        self.assertIn("agentpki authority import acme/prod/issuing/1 --certificate issuing-1.pem",
                      said)
        for name in ("root.pem", "issuing-1.pem"):
            fingerprint = openssl.openssl("x509", "-in", self.folder / name, "-noout",
                                          "-fingerprint", "-sha256").split("=")[1]
            self.assertIn(fingerprint.strip().replace(":", "").lower(), said)

    def test_leaves_within_the_hierarchy_pass_and_others_do_not(self):
        self.run_all()
        for names in (f"URI:spiffe://{TRUST_DOMAIN}/billing/bot", "DNS:www.svc.acme.example",
                      f"DNS:{TRUST_DOMAIN}", "IP:192.0.2.7"):
            judged = self.verify_leaf(names)
            self.assertEqual(judged.returncode, 0, names + judged.stderr)
        for names in ("URI:spiffe://dev.acme.example/billing/bot", "DNS:www.acme.example",
                      "IP:198.51.100.7", "IP:2001:db8::1", "email:bot@acme.example"):
            judged = self.verify_leaf(names)
            self.assertNotEqual(judged.returncode, 0, names)
            self.assertIn("permitted subtree violation" if "2001" not in names
                          else "subtree violation", judged.stderr)

    def test_the_key_is_generated_on_the_token_and_cannot_be_extracted(self):
        self.run_all()
        (key,) = self.private_keys()
        self.assertRegex(key, r"Access: +sensitive, always sensitive, never extractable, local")

    def test_a_second_run_does_nothing(self):
        self.run_all()
        before = self.files()
        said = self.run_all()
        self.assertEqual(self.files(), before)
        self.assertEqual(said.stderr, "")
        self.assertEqual(set(self.states().values()), {"done"})

    def test_needs_neither_grpc_nor_a_database(self):
        needed = run("readelf", "-d", CEREMONY, check=True).stdout
        self.assertNotRegex(needed, r"NEEDED.*(grpc|pqxx|libpq)")

    def test_leaks_no_secrets(self):
        said = self.run_all()
        for text in (said.stdout, said.stderr, self.transcript.read_text()):
            self.assertNotIn(self.pin, text)
            self.assertNotIn("PRIVATE KEY", text)

    # ---- later runs -------------------------------------------------------------------------------

    def test_waits_for_a_csr_and_continues_once_it_exists(self):
        csr = self.folder / "issuing-1.csr"
        csr.rename(self.folder / "elsewhere")
        self.assertEqual(set(self.states(expect=WAITS).values()), {"due", "waiting"})
        said = self.run_all(expect=WAITS)
        self.assertIn("bring its CSR as issuing-1.csr", said.stderr)
        self.assertEqual(self.states(expect=WAITS), {"key": "done", "root": "done",
                                                     "issuing/1": "waiting", "crl/1": "done"})
        (self.folder / "elsewhere").rename(csr)
        self.run_all()
        self.assertEqual(self.verify_issuing(1, "root-1.crl").returncode, 0)

    def test_a_new_crl_revokes_the_certificates_in_the_file(self):
        self.run_all()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.new_issuing(2)
        self.spec["issuing"].append(self.issuing(2))
        self.spec["crls"].append({"file": "root-2.crl", "revocations": [
            {"certificate": "issuing-1.pem", "reason": "cessationOfOperation", "at": at}]})
        self.run_all()
        judged = self.verify_issuing(1, "root-2.crl")
        self.assertIn("certificate revoked", judged.stderr)
        self.assertEqual(self.verify_issuing(2, "root-2.crl").returncode, 0)
        crl = openssl.openssl("crl", "-in", self.folder / "root-2.crl", "-noout", "-text")
        self.assertIn("Cessation Of Operation", crl)
        self.assertIn(openssl.serial(self.folder / "issuing-1.pem").upper(), crl)
        self.ceremony("verify")

    def test_refuses_a_changed_file_for_a_step_that_is_done(self):
        self.run_all()
        self.spec["root"]["lifetime"] = "7300d"
        said = self.run_all(expect=REFUSED)
        self.assertIn("root.lifetime: it was '3650d' when root was begun, and is '7300d' now",
                      said.stderr)

    # ---- confirmation -----------------------------------------------------------------------------

    def test_runs_confirmed_steps_and_stops_at_the_first_refusal(self):
        self.spec["issuing"] = []
        said = self.ceremony("run", input="yes\nyes\nno\n", expect=REFUSED)
        self.assertIn("root: not confirmed", said.stderr)
        self.assertEqual(self.states(), {"key": "done", "root": "due", "crl/1": "due"})
        self.ceremony("run", input="yes\nyes\n")
        self.assertEqual(set(self.states().values()), {"done"})

    def test_an_unpinned_key_must_be_typed(self):
        self.spec["issuing"] = [self.issuing(1, pinned=False)]
        digest = self.key_digest(1)
        said = self.ceremony("run", "--yes", expect=REFUSED)
        self.assertIn(digest, said.stderr)
        self.assertIn("the key was not confirmed", said.stderr)
        self.ceremony("run", "--yes", input="0123456789abcdef\n", expect=REFUSED)
        self.assertFalse((self.folder / "issuing-1.pem").exists())
        self.ceremony("run", "--yes", input=digest[:16] + "\n")
        self.assertIn(f"issuing.1.key_sha256: {digest}",
                      [fact for line in self.lines() for fact in line.get("facts", [])])

    # ---- crashes ----------------------------------------------------------------------------------

    def run_until_prompt(self, count):
        """Starts a run and answers `count` prompts with yes. Returns the process at the next prompt, or
        None if it ended before."""
        process = spawn(CEREMONY, "run", "-f", self.file, env=self.environment, stdin=-1)
        for number in range(count + 1):
            said = ""
            while not said.endswith(PROMPT):
                octet = process.stderr.read(1)
                if not octet:
                    process.communicate()
                    self.assertEqual(process.returncode, DONE, said)
                    return None
                said += octet
            if number < count:
                process.stdin.write("yes\n")
                process.stdin.flush()
        return process

    def test_continues_after_a_kill_between_any_two_steps(self):
        self.write()
        prompts = 0
        while process := self.run_until_prompt(min(prompts, 1)):
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0 ")
            kill(process)
            prompts += 1
            self.assertLess(prompts, 20)
        self.assertEqual(prompts, 5)
        self.expect_whole()

    def test_continues_after_kills_at_any_instant(self):
        self.write()
        for _ in range(5):
            # SoftHSM2 empties and rewrites this file at every login. A kill in between loses the token,
            # which is no fault of ours, so restore it.
            (token,) = (self.folder / "tokens").glob("*/token.object")
            whole = token.read_bytes()
            for _ in range(8):
                process = spawn(CEREMONY, "run", "--yes", "-f", self.file, env=self.environment)
                time.sleep(random.uniform(0, RUN_S))
                kill(process)
                if len(token.read_bytes()) < len(whole):
                    token.write_bytes(whole)
            self.run_all()
            self.expect_whole()
            for name in ("root.pem", "issuing-1.pem", "root-1.crl", "transcript.jsonl", "pin"):
                (self.folder / name).unlink()
            shutil.rmtree(self.folder / "tokens")
            self.make_token()

    def expect_whole(self):
        self.ceremony("verify")
        self.assertEqual(len(self.private_keys()), 1)
        self.assertEqual(self.verify_issuing(1, "root-1.crl").returncode, 0)
        said = [(line["step"], line["event"]) for line in self.lines()]
        self.assertEqual(len(said), len(set(said)), said)

    def test_refuses_a_second_concurrent_run(self):
        self.write()
        first = self.run_until_prompt(0)
        said = self.ceremony("run", "--yes", expect=REFUSED)
        self.assertIn("another run has it", said.stderr)
        kill(first)
        self.run_all()

    # ---- audits -----------------------------------------------------------------------------------

    def test_the_digest_is_the_sha256_of_the_last_line(self):
        said = self.run_all().stdout
        last = self.transcript.read_bytes().splitlines(keepends=True)[-1]
        digest = hashlib.sha256(last).hexdigest()
        self.assertIn(digest, said.replace(" ", ""))
        verified = json.loads(self.ceremony("verify", "--output", "json").stdout)
        self.assertEqual(verified["transcript_sha256"], digest)
        self.assertEqual(verified["differences"], [])
        self.assertEqual([product["step"] for product in verified["products"]],
                         ["root", "issuing/1", "crl/1"])
        written_down = re.sub("(....)", r"\1 ", digest).upper()
        self.ceremony("verify", "--digest", written_down)
        self.ceremony("verify", "--digest", "0" * 64, expect=REFUSED)

    def test_finds_every_changed_line(self):
        self.run_all()
        whole = self.transcript.read_text()
        lines = whole.splitlines(keepends=True)
        for number in range(len(lines) - 1):
            changed = lines[number].replace("Ada Lovelace", "Eve")
            self.assertNotEqual(changed, lines[number])
            self.transcript.write_text("".join(lines[:number] + [changed] + lines[number + 1:]))
            said = self.ceremony("verify", expect=REFUSED)
            self.assertIn(f"transcript: line {number + 2}: it does not follow", said.stderr)
            self.run_all(expect=REFUSED)
        self.transcript.write_text("".join(lines[:-1]))
        said = self.ceremony("verify", "--digest", hashlib.sha256(lines[-1].encode()).hexdigest(),
                             expect=REFUSED)
        self.assertIn("its last line is not the one", said.stdout)

    def test_finds_every_changed_file(self):
        self.run_all()
        for name in ("root.pem", "issuing-1.pem", "root-1.crl", "issuing-1.csr"):
            file = self.folder / name
            whole = file.read_bytes()
            file.write_bytes(whole + b"\n")
            said = self.ceremony("verify", expect=REFUSED)
            self.assertIn(f"{name} is not", said.stdout)
            file.write_bytes(whole)
        self.ceremony("verify")

    def test_signs_nothing_again_with_an_old_transcript(self):
        (self.folder / "issuing-1.csr").rename(self.folder / "elsewhere")
        self.run_all(expect=WAITS)
        old = self.transcript.read_bytes()
        (self.folder / "elsewhere").rename(self.folder / "issuing-1.csr")
        self.run_all()
        self.transcript.write_bytes(old)
        said = self.run_all(expect=REFUSED)
        self.assertIn("is the transcript an old copy?", said.stderr)
        self.assertEqual(self.transcript.read_bytes().count(b"\n"), old.count(b"\n"))

    def test_wrong_usage_and_a_typo_have_different_exit_statuses(self):
        self.assertEqual(run(CEREMONY).returncode, USAGE)
        self.assertEqual(run(CEREMONY, "run", "--frobnicate").returncode, USAGE)
        self.spec["witneses"] = self.spec.pop("witnesses")
        said = self.ceremony("plan", expect=REFUSED)
        self.assertIn("witnesses", said.stderr)

    def test_fails_at_once_if_the_transcript_cannot_be_opened(self):
        self.transcript.mkdir()
        said = self.run_all(expect=REFUSED)
        self.assertIn("cannot open", said.stderr)

    def test_refuses_a_pin_file_as_the_transcript(self):
        other = self.folder / "other-pin"
        other.write_text("123456")
        self.spec["transcript"] = "other-pin"
        said = self.run_all(expect=REFUSED)
        self.assertIn("it is not a line of a transcript", said.stderr)
        self.assertEqual(other.read_text(), "123456")

    def test_refuses_a_pin_file_that_others_can_read(self):
        (self.folder / "pin").chmod(0o644)
        said = self.run_all(expect=REFUSED)
        self.assertIn("chmod 600", said.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""`agentpki doctor` finds what was broken on purpose, and keys end: on two servers and one token."""

import json
import shutil
import time
import unittest

from deployment import HIERARCHY, DeploymentTest
from programs import wait_until

HOUR_S = 3600
PUBLISH_AHEAD_S = 15  # the least that there is, and how long a key stays after it was decided upon
ORPHAN = "acme/test/issuing/7-0badcafe"


class DoctorCase(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()
        # Of two roots and two issuing authorities; until then the conductor is at work.
        wait_until(lambda: int(cls.deployment.database.value("""
            SELECT count(*) FROM agentpki.authority_signatures AS s
              JOIN agentpki.authorities AS a ON a.id = s.authority WHERE a.kind = 'responder'""")) == 4,
                   "each authority has its OCSP responder")

    def diagnose(self, *words):
        """Its report, and whether it says that all is well."""
        done = self.deployment.cli("--output", "json", "doctor", *words)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["findings"] else 0, done.stderr)
        return report

    def findings(self, *words):
        return {(finding["code"], finding["subject"]) for finding in self.diagnose(*words)["findings"]}


class FaultTest(DoctorCase):
    options = {"status": {}}

    def test_finds_nothing_when_all_is_well(self):
        report = self.diagnose()
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["hierarchies"], ["agentpki/system", "acme/test"])
        self.assertEqual(report["key_count"], 8)
        self.assertIn("0 findings", self.deployment.cli("doctor", check=True).stdout)

    def test_finds_an_orphan_key_and_says_how_to_remove_it(self):
        self.deployment.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", ORPHAN)
        self.addCleanup(lambda: ORPHAN in self.deployment.key_labels() and self.deployment.delete_key(ORPHAN))
        done = self.deployment.cli("doctor", "--hierarchy", "acme/test")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"key.orphan  {ORPHAN}", done.stdout)
        self.assertIn("--delete-object", done.stdout)
        self.assertEqual(self.findings(), {("key.orphan", ORPHAN)})
        self.assertEqual(self.findings("--hierarchy", "agentpki/system"), set())

        self.deployment.delete_key(ORPHAN)
        self.assertEqual(self.findings(), set())

    def test_leaves_the_keys_of_others_alone(self):
        self.deployment.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "somebody/else")
        self.addCleanup(self.deployment.delete_key, "somebody/else")
        report = self.diagnose()
        self.assertEqual((report["findings"], report["foreign_keys"]), ([], ["somebody/else"]))
        self.assertEqual(self.diagnose("--hierarchy", "acme/test")["foreign_keys"], [])

    def test_finds_a_key_that_is_missing(self):
        label = next(label for label in self.deployment.key_labels() if label.startswith("acme/test/issuing/1-"))
        backup = self.deployment.folder / "backup"
        shutil.copytree(self.deployment.token_folder, backup)
        self.deployment.delete_key(label)
        self.assertEqual(self.findings(), {("key.missing", "acme/test/issuing/1")})
        wait_until(lambda: self.deployment.cli("status").returncode == 1, "the server is not well")

        # What it says to do.
        shutil.copytree(backup, self.deployment.token_folder, dirs_exist_ok=True)
        self.assertEqual(self.findings(), set())
        wait_until(lambda: self.deployment.cli("status").returncode == 0, "the server is well again")
        self.deployment.enroll("doctor/after")

    def test_finds_what_was_planned_and_never_finished(self):
        self.deployment.database.execute("""
            INSERT INTO agentpki.authorities (hierarchy, kind, generation, issuer, key_label, planned_at)
            SELECT hierarchy, 'issuing', 2, issuer, 'acme/test/issuing/2-00c0ffee', now()
              FROM agentpki.authorities WHERE kind = 'issuing' AND key_label LIKE 'acme/test/%'""")
        self.assertEqual(self.findings(), {("authority.interrupted", "acme/test/issuing/2")})
        self.assertEqual(self.diagnose()["findings"][0]["fix"],
                         "run `agentpki authority prepare acme/test`: it goes on where it stopped")
        self.deployment.cli("authority", "prepare", "acme/test", check=True)
        self.assertEqual(self.findings(), set())
        self.assertIn("acme/test/issuing/2-00c0ffee", self.deployment.key_labels())

    def test_is_for_auditors(self):
        agent = self.deployment.enroll("doctor/nobody")
        self.assert_refused(self.deployment.cli("doctor", identity=agent), "caller.role")


class EndTest(DoctorCase):
    """A key of an authority ends 25 hours after the last of its certificates, which here is an hour
    after another took over. A server's certificate is for 24 hours, and the clock of the command line
    is the real one: so the servers' begins 22 hours behind."""
    options = {"shift_s": -22 * HOUR_S, "status": {},
               "hierarchy": HIERARCHY | {"profiles": [{"name": "agent", "lifetime": "1h"}]}}

    def state(self, generation):
        authorities = self.deployment.json("authority", "list", "--hierarchy", "acme/test")
        return next(authority["state"] for authority in authorities
                    if authority["kind"] == "issuing" and authority["generation"] == generation)

    def complaints(self):
        """Every time that a server found its token, or a key that it needs, not well."""
        return [line for server in self.deployment.servers for line in server.log().splitlines()
                if "token is not well" in line]

    def test_of_a_retired_authority(self):
        first = next(label for label in self.deployment.key_labels() if label.startswith("acme/test/issuing/1-"))
        self.deployment.json("authority", "prepare", "acme/test")
        time.sleep(PUBLISH_AHEAD_S)
        self.deployment.json("authority", "activate", "acme/test/issuing/2")
        self.deployment.set_clock(0)
        for server in self.deployment.servers:
            server.restart()  # with a certificate for the day to come
        wait_until(lambda: self.state(1) == "retired", "it is retired")
        self.assertIn(first, self.deployment.key_labels())

        self.deployment.set_clock(int(4.5 * HOUR_S))
        wait_until(lambda: self.state(1) == "key destroyed", "its end is decided")
        self.assertIn(first, self.deployment.key_labels(), "for replicas that have not heard of it")
        wait_until(lambda: first not in self.deployment.key_labels(), "its key is gone", 2 * PUBLISH_AHEAD_S + 30)
        time.sleep(15)  # in which each server tries its keys a few times
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.deployment.cli("status").returncode, 0)
        self.assertEqual(self.findings(), set())
        self.assertEqual([event["action"] for event in self.deployment.database.rows("""
            SELECT action FROM agentpki.audit_events
             WHERE subject = 'acme/test/issuing/1' AND action LIKE '%Dest%' ORDER BY sequence""")],
                         ["DecideKeyDestruction", "DestroyKey"])
        self.assertEqual(self.deployment.database.value("""
            SELECT c.next_update = i.not_after
              FROM agentpki.crls AS c
              JOIN agentpki.authorities AS a ON a.id = c.authority
              JOIN agentpki.authority_issuances AS i ON i.authority = a.id
             WHERE a.kind = 'issuing' AND a.generation = 1 AND a.key_label LIKE 'acme/%'
             ORDER BY c.number DESC LIMIT 1"""), True, "its last CRL stands as long as it")

        # Nothing asks for it any more: not a start, nor an init, nor an operator.
        self.deployment.set_clock(0)  # or the command line would not believe their new certificates
        for server in self.deployment.servers:
            server.restart()
        self.deployment.run_server("init", "--hierarchy", self.deployment.folder / "hierarchy.yaml",
                                   check=True)
        self.assertNotIn(first, self.deployment.key_labels())
        self.assert_refused(self.deployment.cli("authority", "rollback", "acme/test"),
                            "authority.key-destroyed")
        self.deployment.enroll("doctor/goes-on")


if __name__ == "__main__":
    unittest.main()

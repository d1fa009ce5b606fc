"""`agentpki doctor` finds deliberate faults, and retired keys are destroyed: two servers, one token."""

import json
import shutil
import time
import unittest

from deployment import HIERARCHY, DeploymentTest
from programs import wait_until

HOUR_S = 3600
PUBLISH_AHEAD_S = 15  # the minimum; also the time from the decision on a key to its destruction
ORPHAN = "acme/test/issuing/7-0badcafe"


class DoctorCase(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()
        # The conductor makes responders for two roots and two issuing authorities.
        wait_until(lambda: int(cls.deployment.database.value("""
            SELECT count(*) FROM agentpki.authority_signatures AS s
              JOIN agentpki.authorities AS a ON a.id = s.authority WHERE a.kind = 'responder'""")) == 4,
                   "each authority has its OCSP responder")

    def diagnose(self, *words):
        """Returns the report, and checks that the exit status fits it."""
        done = self.deployment.cli("--output", "json", "doctor", *words)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["findings"] else 0, done.stderr)
        return report

    def findings(self, *words):
        return {(finding["code"], finding["subject"]) for finding in self.diagnose(*words)["findings"]}


class FaultTest(DoctorCase):
    options = {"status": {}}

    def test_finds_nothing_in_a_healthy_deployment(self):
        report = self.diagnose()
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["hierarchies"], ["agentpki/system", "acme/test"])
        self.assertEqual(report["key_count"], 8)  # test_finds_the_authority_... comes later and adds two
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

    def test_reports_foreign_keys_without_a_finding(self):
        self.deployment.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "somebody/else")
        self.addCleanup(self.deployment.delete_key, "somebody/else")
        report = self.diagnose()
        self.assertEqual((report["findings"], report["foreign_keys"]), ([], ["somebody/else"]))
        self.assertEqual(self.diagnose("--hierarchy", "acme/test")["foreign_keys"], [])

    def test_finds_a_missing_key(self):
        label = next(label for label in self.deployment.key_labels() if label.startswith("acme/test/issuing/1-"))
        backup = self.deployment.folder / "backup"
        shutil.copytree(self.deployment.token_folder, backup)
        self.deployment.delete_key(label)
        self.assertEqual(self.findings(), {("key.missing", "acme/test/issuing/1")})
        wait_until(lambda: self.deployment.cli("status").returncode == 1, "the server is unhealthy")

        # The fix that doctor names.
        shutil.copytree(backup, self.deployment.token_folder, dirs_exist_ok=True)
        self.assertEqual(self.findings(), set())
        wait_until(lambda: self.deployment.cli("status").returncode == 0, "the server is healthy again")
        self.deployment.enroll("doctor/after")

    def test_finds_the_authority_that_was_planned_but_never_finished(self):
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

    def test_needs_the_role_auditor(self):
        agent = self.deployment.enroll("doctor/nobody")
        self.assert_refused(self.deployment.cli("doctor", identity=agent), "caller.role")


class EndTest(DoctorCase):
    """The key of an authority is destroyed 25 hours after its last certificate expires, here one hour
    after its successor took over. The servers' clock begins 22 hours behind the real time, because a
    server's certificate is valid for 24 hours, and the CLI checks it by the real time."""
    options = {"shift_s": -22 * HOUR_S, "status": {},
               "hierarchy": HIERARCHY | {"profiles": [{"name": "agent", "lifetime": "1h"}]}}

    def state(self, generation):
        authorities = self.deployment.json("authority", "list", "--hierarchy", "acme/test")
        return next(authority["state"] for authority in authorities
                    if authority["kind"] == "issuing" and authority["generation"] == generation)

    def complaints(self):
        """Returns the log lines about an unhealthy token or key."""
        return [line for server in self.deployment.servers for line in server.log().splitlines()
                if "token is not well" in line]

    def test_the_key_of_a_retired_authority_is_destroyed(self):
        first = next(label for label in self.deployment.key_labels() if label.startswith("acme/test/issuing/1-"))
        self.deployment.json("authority", "prepare", "acme/test")
        time.sleep(PUBLISH_AHEAD_S)
        self.deployment.json("authority", "activate", "acme/test/issuing/2")
        self.deployment.set_clock(0)
        for server in self.deployment.servers:
            server.restart()  # to get a certificate that is valid for the next day
        wait_until(lambda: self.state(1) == "retired", "the authority is retired")
        self.assertIn(first, self.deployment.key_labels())

        self.deployment.set_clock(int(4.5 * HOUR_S))
        wait_until(lambda: self.state(1) == "key destroyed", "the destruction is decided")
        self.assertIn(first, self.deployment.key_labels(), "another replica may still use it")
        wait_until(lambda: first not in self.deployment.key_labels(), "the key is destroyed", 2 * PUBLISH_AHEAD_S + 30)
        time.sleep(15)  # each server checks its keys a few times in between
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
             ORDER BY c.number DESC LIMIT 1"""), True, "its last CRL is valid as long as its certificate")

        # A start, an init and an operator do without the key.
        self.deployment.set_clock(0)  # so that the CLI accepts the servers' new certificates
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

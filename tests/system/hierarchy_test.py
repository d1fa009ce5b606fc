"""Hierarchies as code: a file is planned, applied, changed and exported, as CI does it."""

import json
import unittest

import openssl
from deployment import ALONE, SYSTEM_TRUST_DOMAIN, DeploymentTest
from programs import CLI, run, wait_until
from relying_party import Credentials

FILE = {
    "tenant": "acme", "environment": "pr-1234", "trust_domain": "pr-1234.acme.example",
    "issuing": {"lifetime": "30d", "rotate_every": "10d", "publish_ahead": "1h"},
    "profiles": [{"name": "agent", "lifetime": "1h"}, {"name": "batch", "lifetime": "5m"}],
    "approvals": ALONE,
}
IDENTITY = "spiffe://{}/ci/bot".format(FILE["trust_domain"])


class HierarchyTest(DeploymentTest):
    options = {"status": {}}

    def file(self, **changes):
        """Writes FILE with `changes` to a file; returns the file. JSON is YAML."""
        file = self.deployment.folder / "acme-pr.yaml"
        file.write_text(json.dumps(FILE | changes, indent=1))
        return file

    def plan(self, file, *words):
        return self.deployment.cli("hierarchy", "plan", "-f", file, *words)

    def apply(self, file, *words):
        return self.deployment.json("hierarchy", "apply", "-f", file, *words)

    def enroll(self, identity):
        created = self.deployment.cli("token", "create", "--agent", identity, check=True)
        token = self.deployment.folder / "a.token"
        token.touch(mode=0o600)
        token.write_text(created.stdout)
        folder = self.deployment.new_folder()
        self.deployment.cli("cert", "enroll", "--token-file", token, "--out", folder, check=True)
        return folder

    def test_1_the_plan_of_a_new_hierarchy_shows_every_field_and_changes_nothing(self):
        done = self.plan(self.file())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("acme/pr-1234: a new hierarchy", done.stdout)
        self.assertIn("  + issuing.rotate_every: 10d\n", done.stdout)
        self.assertIn("  + root.lifetime: 3650d\n", done.stdout, "a default is shown, too")
        self.assertIn("  + profiles.batch.lifetime: 5m\n", done.stdout)
        self.assertEqual(self.plan(self.file(), "--check").returncode, 2)
        self.assertEqual(self.deployment.cli("hierarchy", "show", "acme/pr-1234").returncode, 1)

    def test_2_one_call_creates_a_hierarchy_that_issues_and_serves_status(self):
        applied = self.apply(self.file(), "--wait", "--timeout", "60")
        self.assertEqual(applied["hierarchy"]["state"], "ready")
        self.assertEqual(applied["hierarchy"]["active_authority"], "acme/pr-1234/issuing/1")
        self.deployment.cli("agent", "register", IDENTITY, "--owner", "ci", check=True)
        folder = self.enroll(IDENTITY)
        self.assertEqual(openssl.verify(folder).returncode, 0)
        certificates = openssl.certificates((folder / "cert.pem").read_text())
        said = self.ocsp(folder, certificates)
        self.assertIn(": good", said)
        done = self.plan(self.file(), "--check")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "acme/pr-1234: no changes\n"), done.stderr)

    def ocsp(self, folder, certificates):
        files = []
        for name, text in zip(["leaf", "issuer"], certificates):
            files.append(self.deployment.folder / f"{name}.pem")
            files[-1].write_text(text)
        return openssl.openssl(
            "ocsp", "-issuer", files[1], "-cert", files[0], "-CAfile", folder / "bundle.pem",
            "-url", openssl.openssl("x509", "-noout", "-ocsp_uri", "-in", files[0]).strip())

    def test_3_a_change_is_planned_by_field_and_applies_from_the_next_certificate(self):
        changed = self.file(profiles=[{"name": "agent", "lifetime": "20m"},
                                      {"name": "batch", "lifetime": "5m"}])
        plan = self.deployment.json("hierarchy", "plan", "-f", changed)
        self.assertEqual(plan["changes"], [{"field": "profiles.agent.lifetime",
                                            "before": "1h", "after": "20m", "widens": False}])
        self.apply(changed, "--plan", plan["digest"])
        folder = self.enroll(IDENTITY)
        self.assertEqual(openssl.lifetime_s(folder / "cert.pem"), 21 * 60, "including the backdating")

        stale = self.deployment.cli("hierarchy", "apply", "-f", self.file(), "--plan",
                                    plan["digest"])
        self.assert_refused(stale, "hierarchy.plan-stale", "plan again")

    def test_4_the_export_equals_the_file(self):
        exported = self.deployment.cli("hierarchy", "export", "acme/pr-1234", check=True).stdout
        file = self.deployment.folder / "exported.yaml"
        file.write_text(exported)
        self.assertEqual(self.plan(file, "--check").returncode, 0, exported)
        self.assertIn(exported, self.deployment.cli("hierarchy", "show", "acme/pr-1234").stdout)

    def test_5_fields_that_every_certificate_carries_cannot_change(self):
        for field, value in [("trust_domain", "other.example"),
                             ("dns_subtrees", ["other.example"]), ("ip_ranges", ["10.0.0.0/8"])]:
            with self.subTest(field):
                self.assert_refused(self.plan(self.file(**{field: value})), "hierarchy.fixed",
                                    field, "another hierarchy")

    def test_6_a_typo_is_reported_with_its_line_and_the_nearest_key(self):
        done = self.plan(self.file(profils=[]))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"acme-pr.yaml:\d+: profils: there is no such key; "
                                      r"is it 'profiles'\?")

    def test_7_operators_get_their_roles_from_the_file(self):
        operator = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/carol"
        wanted = self.file(operators=[{"name": "carol", "roles": ["registrar"]}])
        done = self.plan(wanted)
        self.assertIn(f"agentpki agent register {operator}", done.stderr)
        self.deployment.cli("agent", "register", operator, "--owner", "carol", check=True)
        self.apply(wanted)
        carol = self.enroll(operator)
        register = ["agent", "register", IDENTITY + "-2", "--owner", "carol"]
        self.deployment.cli(*register, identity=carol, check=True)
        self.assert_refused(self.deployment.cli("hierarchy", "apply", "-f", wanted,
                                                identity=carol), "caller.role", "admin")
        listed = self.deployment.json("operator", "list")
        self.assertIn({"operator": "carol", "role": "registrar", "hierarchy": "acme/pr-1234",
                       "tenant": ""}, listed)
        self.apply(self.file())
        self.assert_refused(self.deployment.cli(*register[:2], IDENTITY + "-3", *register[3:],
                                                identity=carol), "caller.role")

    def test_8_roles_are_granted_and_withdrawn_by_hand(self):
        operator = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/dave"
        self.deployment.cli("agent", "register", operator, "--owner", "dave", check=True)
        dave = self.enroll(operator)
        show = ["hierarchy", "list"]
        self.assert_refused(self.deployment.cli(*show, identity=dave), "caller.role")
        self.deployment.cli("operator", "grant", "dave", "auditor", "--tenant", "acme",
                            check=True)
        names = [h["name"] for h in self.deployment.json(*show, identity=dave)]
        self.assertEqual(sorted(names), ["acme/pr-1234", "acme/test"])
        self.deployment.cli("operator", "withdraw", "dave", "auditor", "--tenant", "acme",
                            check=True)
        self.assert_refused(self.deployment.cli(*show, identity=dave), "caller.role")
        self.assert_refused(
            self.deployment.cli("operator", "withdraw", "admin", "admin"), "grant.last-admin")

    def test_9_wrong_usage_exits_with_64(self):
        self.assertEqual(run(CLI, "hierarchy", "plan").returncode, 64)


class StatusTest(DeploymentTest):
    """Two hierarchies on one server: one has lifetimes of CRLs and OCSP responses in its file, the other
    has those of the configuration."""
    options = {"status": {"crl_lifetime": "2h", "ocsp_lifetime": "3h"}}

    def apply(self, **status):
        file = self.deployment.folder / "acme-pr.yaml"
        file.write_text(json.dumps(FILE | {"status": status}))
        self.deployment.cli("hierarchy", "apply", "-f", file, "--wait", check=True)
        return file

    def said_of(self, credentials):
        """Returns the lifetimes of the CRL and of an OCSP response, after a check of their signatures."""
        self.assertFalse(credentials.is_listed())
        said = credentials.ask()
        self.assertIn("Response verify OK", said)
        return (openssl.crl_lifetime_s(credentials.new_crl_file()), openssl.ocsp_lifetime_s(said))

    def assert_becomes(self, credentials, minutes):
        expected = tuple(60 * count for count in minutes)
        wait_until(lambda: self.said_of(credentials) == expected,
                   f"CRL and OCSP response are valid for {minutes} minutes")

    def test_a_hierarchy_has_the_lifetimes_of_its_file_or_else_of_the_configuration(self):
        self.apply(crl_lifetime="10m", ocsp_lifetime="5m")
        self.deployment.cli("agent", "register", IDENTITY, "--owner", "ci", check=True)
        other = Credentials(self.deployment.enroll("status/other"))
        bot = Credentials(self.deployment.join(IDENTITY))
        self.assert_becomes(other, (120, 180))
        self.assert_becomes(bot, (10, 5))

        with self.subTest("the next CRL and OCSP response have the change"):
            file = self.apply(crl_lifetime="20m", delta_crls=True)
            self.assert_becomes(bot, (20, 180))
            freshest = openssl.openssl("crl", "-noout", "-text", "-in", bot.new_crl_file())
            self.assertIn("X509v3 Freshest CRL", freshest)
            plan = self.deployment.json("hierarchy", "plan", "-f", file)
            self.assertEqual(plan["changes"], [])

        with self.subTest("the configuration applies again to a field that the file omits"):
            file.write_text(json.dumps(FILE))
            plan = self.deployment.json("hierarchy", "plan", "-f", file)
            self.assertEqual(
                [(change["field"], change["before"], change["after"], change["widens"])
                 for change in plan["changes"]],
                [("status.crl_lifetime", "20m", "", True), ("status.delta_crls", "true", "", False)])
            self.apply()
            self.assert_becomes(bot, (120, 180))
        self.assert_becomes(other, (120, 180))

    def test_impossible_lifetimes_are_refused(self):
        file = self.deployment.folder / "wrong.yaml"
        file.write_text(json.dumps(FILE | {"status": {"crl_lifetime": "30s"}}))
        done = self.deployment.cli("hierarchy", "plan", "-f", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("status: crl_lifetime: 30s is out of bounds; write 1m to 24h", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

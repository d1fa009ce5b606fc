"""A tenant with a dedicated token and its own PIN: a fault of that token does not affect other
tenants."""

import json
import unittest

import openssl
from clients import RawClient
from deployment import DeploymentTest
from programs import SANITIZE, wait_until

GLOBEX = {"tenant": "globex", "environment": "test", "trust_domain": "test.globex.example",
          "profiles": [{"name": "agent"}]}
AGENT = "spiffe://test.globex.example/reports/bot"
SERVING = "0801"  # HealthCheckResponse in the wire format

REFUSED, TRY_AGAIN = 1, 75  # exit statuses
# The server looks for an unavailable token at least once a minute.
BACK_S = 180 if SANITIZE else 90


class TenantTokensTest(DeploymentTest):
    options = {"status": {}, "tenant_tokens": ["globex"]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = cls.deployment.folder / "globex.yaml"
        file.write_text(json.dumps(GLOBEX))
        cls.deployment.cli("hierarchy", "apply", "-f", file, "--wait", check=True)
        cls.deployment.cli("agent", "register", AGENT, "--owner", "globex", check=True)
        cls.globex = cls.deployment.join(AGENT)
        cls.acme = cls.deployment.enroll("tokens/bot")
        cls.common_labels = cls.deployment.key_labels()

    def config(self, **changes):
        """Writes a server's configuration, with changes in the entry of globex's token; returns the
        file."""
        config = self.deployment.config(self.deployment.server)
        config["hsm"]["tokens"][0] |= changes
        file = self.deployment.folder / "changed.yaml"
        file.write_text(json.dumps(config))
        return file

    def component(self):
        """Returns the component of `agentpki status` for globex's token."""
        done = self.deployment.cli("--output", "json", "status")
        (component,) = [one for one in json.loads(done.stdout)["components"]
                        if one["name"] == "token hsm-globex"]
        return component

    def findings(self, *words):
        done = self.deployment.cli("--output", "json", "doctor", *words)
        return {(finding["code"], finding["subject"])
                for finding in json.loads(done.stdout)["findings"]}

    def assert_issues(self, folder):
        before = openssl.serial(folder / "cert.pem")
        self.deployment.cli("cert", "renew", folder, check=True)
        self.assertNotEqual(openssl.serial(folder / "cert.pem"), before)
        self.assertEqual(openssl.verify(folder).returncode, 0)

    def assert_only_globex_is_not_served(self):
        """Checks that only globex gets no service, and that gRPC health still says SERVING."""
        for _ in range(5):
            self.assert_issues(self.acme)
            done = self.deployment.cli("--timeout", "5", "cert", "renew", self.globex)
            self.assertEqual(done.returncode, TRY_AGAIN, done.stderr)
            with RawClient(self.deployment) as client:
                answer = client.call("grpc.health.v1.Health/Check", "")
                self.assertEqual((answer.code, answer.response), ("OK", SERVING))
        component = self.component()
        self.assertFalse(component.get("healthy", False), component)
        self.assertIn("tenants globex: token 'hsm-globex': unavailable", component["detail"])
        self.assertEqual(self.findings("--hierarchy", "globex/test"),
                         {("token.away", "hsm-globex")})
        self.assertEqual(self.findings("--hierarchy", "acme/test"), set())

    # ---- keys -----------------------------------------------------------------------------------

    def test_each_key_is_on_the_token_of_its_tenant(self):
        globex = self.deployment.key_labels("globex")
        self.assertTrue(globex)
        self.assertTrue(all(label.startswith("globex/test/") for label in globex), globex)
        self.assertEqual({label.split("/")[0] for label in self.common_labels},
                         {"acme", "agentpki"})
        self.assertTrue(self.component()["healthy"])
        for folder in [self.globex, self.acme]:
            self.assert_issues(folder)
        self.assertEqual(self.findings(), set())

    def test_a_file_that_pins_a_token_allows_no_key_on_another_token(self):
        file = self.deployment.folder / "pinned.yaml"
        for hierarchy in [GLOBEX, GLOBEX | {"environment": "next",
                                            "trust_domain": "next.globex.example"}]:
            file.write_text(json.dumps(hierarchy | {"token": "agentpki"}))
            for verb in ["plan", "apply"]:
                self.assert_refused(self.deployment.cli("hierarchy", verb, "-f", file),
                                    "hierarchy.token", "'agentpki'", "'hsm-globex'")
        self.assertEqual(self.deployment.key_labels(), self.common_labels)

        file.write_text(json.dumps(GLOBEX | {"token": "hsm-globex"}))
        plan = self.deployment.json("hierarchy", "plan", "-f", file)
        self.assertEqual(plan["changes"], [{"field": "token", "before": "", "after": "hsm-globex",
                                            "widens": False}])
        self.deployment.cli("hierarchy", "apply", "-f", file, check=True)
        exported = self.deployment.cli("hierarchy", "export", "globex/test", check=True).stdout
        self.assertIn("\ntoken: hsm-globex\n", exported)
        self.assertEqual(self.findings(), set())

    def test_the_doctor_finds_a_key_on_the_wrong_token(self):
        for label, tenant, right in [("globex/test/issuing/7-0badcafe", None, "hsm-globex"),
                                     ("acme/test/issuing/7-0badcafe", "globex", "agentpki")]:
            self.deployment.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1",
                                        "--label", label, tenant=tenant)
            try:
                done = self.deployment.cli("doctor")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(f"key.misplaced  {label}", done.stdout)
                self.assertIn(f"'{right}'", done.stdout)
                self.assertEqual(self.findings(), {("key.misplaced", label)})
            finally:
                self.deployment.delete_key(label, tenant)
        self.assertEqual(self.findings(), set())

    # ---- an unavailable token -------------------------------------------------------------------

    def test_a_tenant_is_served_while_the_token_of_another_tenant_is_unavailable(self):
        with self.deployment.token_unavailable("globex"):
            wait_until(lambda: not self.component().get("healthy", False),
                       "the server finds the token unavailable")
            self.assert_only_globex_is_not_served()
            with self.subTest("a server that starts meanwhile"):
                self.deployment.server.restart()
                self.assertIn("hsm: tokens: 'hsm-globex' of tenants globex: no token is labelled",
                              self.deployment.server.log_since_start())
                self.assert_only_globex_is_not_served()
        wait_until(lambda: self.component()["healthy"], "the server finds the token again", BACK_S)
        wait_until(lambda: self.deployment.cli("cert", "renew", self.globex).returncode == 0,
                   "globex is served again")
        self.assert_issues(self.acme)
        self.assertEqual(self.findings(), set())
        self.assertEqual(self.deployment.cli("status", "check").returncode, 0)

    # ---- starts that fail -----------------------------------------------------------------------

    def assert_fails(self, verb, code, config_file, *texts):
        done = self.deployment.run_server(verb, config_file=config_file)
        self.assertEqual(done.returncode, code, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_a_wrong_pin_names_the_tenant(self):
        config = self.config(pin_file=str(self.deployment.folder / "pin-wrong"))
        wrong = self.deployment.folder / "pin-wrong"
        wrong.touch(mode=0o600)
        wrong.write_text("not it")
        self.assert_fails("run", REFUSED, config,
                          "hsm: tokens: 'hsm-globex' of tenants globex: the token refuses the PIN")

    def test_init_needs_every_token(self):
        config = self.config(token_label="nobody")
        self.assert_fails("init", TRY_AGAIN, config, "'nobody' of tenants globex",
                          "no token is labelled 'nobody'", "'hsm-globex'")

    def test_a_duplicate_token_is_refused(self):
        config = self.config(token_label="agentpki")
        self.assert_fails("run", REFUSED, config, "hsm: tokens[0]: token_label: 'agentpki'")


if __name__ == "__main__":
    unittest.main()

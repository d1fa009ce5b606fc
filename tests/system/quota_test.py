"""The quotas of tenants in the server's configuration."""

import json
import unittest

from deployment import ALONE, DeploymentTest

GLOBEX = {"tenant": "globex", "environment": "test", "trust_domain": "test.globex.example",
          "profiles": [{"name": "agent"}], "approvals": ALONE}
TRY_AGAIN = 75


class QuotaTest(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.deployment.server
        config = cls.deployment.config(server)
        config["quotas"] = [{"tenant": "acme", "agents": 2, "certificates_per_minute": 3}]
        server.stop()
        server.write_config(config)
        server.start()
        file = cls.deployment.folder / "globex.yaml"
        file.write_text(json.dumps(GLOBEX))
        cls.deployment.cli("hierarchy", "apply", "-f", file, check=True)

    def register(self, identity):
        return self.deployment.cli("agent", "register", identity, "--owner", "somebody")

    def test_1_limits_the_agents_of_a_tenant(self):
        self.deployment.register("quota/one")
        self.deployment.register("quota/two")
        done = self.register("spiffe://test.acme.example/quota/three")
        self.assertEqual(done.returncode, TRY_AGAIN)
        self.assertIn("tenant acme has 2 agents", done.stderr)
        for path in ["one", "two", "three"]:
            self.assertEqual(self.register(f"spiffe://test.globex.example/{path}").returncode, 0)

    def test_2_limits_the_certificates_of_a_tenant_per_minute(self):
        folder = self.deployment.join("spiffe://test.acme.example/quota/one")
        for _ in range(2):
            self.deployment.cli("cert", "renew", folder, check=True)
        done = self.deployment.cli("cert", "renew", folder)
        self.assertEqual(done.returncode, TRY_AGAIN, done.stderr)
        self.assertIn("tenant acme may have 3 certificates a minute; retry in", done.stderr)
        self.assertEqual(self.deployment.database.value(
            "SELECT count(*) > 0 AS any FROM agentpki.audit_events WHERE rule = 'quota.certificates'"), True)


if __name__ == "__main__":
    unittest.main(verbosity=2)

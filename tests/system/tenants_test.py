"""Isolation of tenants: every call with another tenant's credentials is refused and recorded."""

import json
import unittest

import openssl
from access_test import OPERATORS_REQUESTS, OWN_REQUESTS
from clients import RawClient, methods
from deployment import ALONE, SYSTEM_TRUST_DOMAIN, DeploymentTest, spiffe_id

GLOBEX = {"tenant": "globex", "environment": "test", "trust_domain": "test.globex.example",
          "profiles": [{"name": "agent"}]}

# Methods that list all that the caller may see. They succeed, and must hide other tenants.
OWN_LISTS = ["agentpki.v1.StatusService/GetStatus",
             "agentpki.v1.HierarchyService/ListHierarchies",
             "agentpki.v1.HierarchyService/ListDestructions",
             "agentpki.v1.OperatorService/ListGrants"]
# Methods that look an object up among all that the caller may see, so they answer NOT_FOUND.
BY_SERIAL = "agentpki.v1.CertificateService/GetCertificate"
BY_ID = {f"agentpki.v1.ApprovalService/{method}": request for method, request in {
    "ApproveChange": {"reason": "mine"}, "DenyChange": {"reason": "mine"},
    "WithdrawApproval": {}}.items()}


class TenantsTest(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        deployment = cls.deployment
        file = deployment.folder / "globex.yaml"
        file.write_text(json.dumps(GLOBEX))
        deployment.cli("hierarchy", "apply", "-f", file, check=True)
        cls.victim = deployment.enroll("access/bot")
        operator = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/mallory"
        deployment.cli("agent", "register", operator, "--owner", "globex", check=True)
        deployment.cli("operator", "grant", "mallory", "admin", "--tenant", "globex", check=True)
        # One destroyed hierarchy of each tenant, so that the list of destructions has one to hide.
        for tenant in ["acme", "globex"]:
            file.write_text(json.dumps(GLOBEX | {"tenant": tenant, "environment": "gone",
                                                 "trust_domain": f"gone.{tenant}.example",
                                                 "approvals": ALONE}))
            deployment.cli("hierarchy", "apply", "-f", file, check=True)
            deployment.cli("hierarchy", "destroy", f"{tenant}/gone", "--reason", "a test", "--yes",
                           check=True)
        agent = "spiffe://test.globex.example/evil/bot"
        deployment.cli("agent", "register", agent, "--owner", "globex", check=True)
        cls.others = {identity: deployment.join(identity) for identity in [operator, agent]}
        cls.operator = operator
        cls.approval = cls.ask_for_an_approval()

    @classmethod
    def ask_for_an_approval(cls):
        """Lets the first operator request an approval in acme/strict; returns its id."""
        file = cls.deployment.folder / "strict.yaml"
        file.write_text(json.dumps({**GLOBEX, "tenant": "acme", "environment": "strict",
                                    "trust_domain": "strict.acme.example"}))
        cls.deployment.cli("hierarchy", "apply", "-f", file, check=True)
        cls.deployment.cli("authority", "prepare", "acme/strict", "--root")
        (approval,) = cls.deployment.json("approval", "list", "--hierarchy", "acme/strict")
        return approval["id"]

    def refusals_of(self, actor):
        (row,) = self.deployment.database.rows(
            f"SELECT count(*) AS n FROM agentpki.audit_events "
            f"WHERE actor = '{actor}' AND decision IN ('denied', 'failed')")
        return int(row["n"])

    def requests(self):
        """Returns a request about another tenant's hierarchy for each method."""
        requests = {method: {**request, "hierarchy": "acme/test"}
                    for method, request in OWN_REQUESTS.items() if "Acknowledge" not in method}
        requests |= OPERATORS_REQUESTS
        requests[BY_SERIAL] = {"serial": openssl.serial(self.victim / "cert.pem")}
        for method, request in BY_ID.items():
            requests[method] = {"id": self.approval, **request}
        return requests

    def test_all_methods_are_covered_here(self):
        of_oneself = {"agentpki.v1.EnrollmentService/Enroll", "agentpki.v1.EnrollmentService/Renew",
                      "agentpki.v1.TrustBundleService/AcknowledgeTrustBundle"}
        self.assertEqual(sorted({*self.requests(), *of_oneself}), methods())

    def test_every_call_about_another_tenant_is_refused(self):
        for actor, folder in self.others.items():
            with RawClient(self.deployment, identity=folder) as client:
                for method, request in self.requests().items():
                    if method in OWN_LISTS:
                        continue
                    with self.subTest(method, actor=actor):
                        before = self.refusals_of(actor)
                        answer = client.call(method, request)
                        if method == BY_SERIAL or (method in BY_ID and actor == self.operator):
                            self.assertEqual(answer.code, "NOT_FOUND", answer)
                        else:
                            self.assertEqual((answer.code, answer.rule),
                                             ("PERMISSION_DENIED", "caller.role"), answer)
                        self.assertEqual(self.refusals_of(actor), before + 1, "the refusal is recorded")

    def test_lists_hide_other_tenants(self):
        with RawClient(self.deployment, identity=self.others[self.operator]) as client:
            for method in OWN_LISTS:
                with self.subTest(method):
                    answer = client.call(method, {})
                    if answer.code != "OK":
                        self.assertEqual(answer.rule, "caller.role", answer)
                        continue
                    self.assertIn("globex", json.dumps(answer.response))
                    self.assertNotIn("acme", json.dumps(answer.response))

    def test_a_renewal_cannot_change_the_trust_domain(self):
        *_, agent = self.others.values()
        csr = openssl.new_csr(self.deployment.folder / "evil.csr",
                              openssl.new_key(self.deployment.folder / "evil.key"), "-addext",
                              f"subjectAltName=URI:{spiffe_id('access/bot')}")
        with RawClient(self.deployment, identity=agent) as client:
            answer = client.renew(openssl.der_of_csr(csr))
        self.assertEqual(answer.rule, "csr.alternative-name", answer)

    def test_only_an_admin_of_its_tenant_creates_a_hierarchy(self):
        with RawClient(self.deployment, identity=self.others[self.operator]) as client:
            spec = {**GLOBEX, "tenant": "acme", "environment": "new",
                    "trust_domain": "new.acme.example"}
            answer = client.call("agentpki.v1.HierarchyService/ApplyHierarchy", {"spec": spec})
        self.assertEqual((answer.code, answer.rule), ("PERMISSION_DENIED", "caller.role"), answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""Callers, and the methods that each of them may call."""

import unittest

import openssl
from clients import RawClient, methods, methods_of_the_contract, new_request_id
from deployment import SYSTEM_TRUST_DOMAIN, TRUST_DOMAIN, DeploymentTest, spiffe_id

ENROLL = "agentpki.v1.EnrollmentService/Enroll"
RENEW = "agentpki.v1.EnrollmentService/Renew"

# A change of the hierarchy's profiles, as a file would make it.
SPEC = {"tenant": "acme", "environment": "test", "trust_domain": TRUST_DOMAIN,
        "profiles": [{"name": "agent"}]}

# Requests that every agent and operator may make about its own hierarchy.
OWN_REQUESTS = {
    "agentpki.v1.TrustBundleService/GetTrustBundle": {},
    "agentpki.v1.TrustBundleService/WatchTrustBundle": {},
    "agentpki.v1.TrustBundleService/AcknowledgeTrustBundle": {"version": 1},
}

# Requests that would succeed for an operator.
OPERATORS_REQUESTS = {
    "agentpki.v1.RegistryService/RegisterAgent":
        {"agent": {"spiffe_id": spiffe_id("access/new"), "owner": "test"}},
    "agentpki.v1.RegistryService/GetAgent": {"spiffe_id": spiffe_id("access/bot")},
    "agentpki.v1.RegistryService/ListAgents": {"hierarchy": "acme/test"},
    "agentpki.v1.RegistryService/CreateJoinToken": {"spiffe_id": spiffe_id("access/bot")},
    "agentpki.v1.RegistryService/ListJoinTokens": {"hierarchy": "acme/test"},
    "agentpki.v1.RegistryService/RevokeJoinToken": {"hierarchy": "acme/test", "id": "0" * 16},
    "agentpki.v1.CertificateService/GetCertificate": {"serial": "01" + "00" * 19},
    "agentpki.v1.CertificateService/ListCertificates": {"hierarchy": "acme/test"},
    "agentpki.v1.RevocationService/Revoke": {"spiffe_id": spiffe_id("access/bot")},
    "agentpki.v1.StatusService/CheckStatus": {"hierarchy": "acme/test"},
    "agentpki.v1.StatusService/GetStatus": {},
    "agentpki.v1.AuthorityService/ListAuthorities": {"hierarchy": "acme/test"},
    "agentpki.v1.AuthorityService/PrepareAuthority": {"hierarchy": "acme/test"},
    "agentpki.v1.AuthorityService/ActivateAuthority": {"authority": "acme/test/issuing/1"},
    "agentpki.v1.AuthorityService/RollBackAuthority": {"hierarchy": "acme/test"},
    "agentpki.v1.AuthorityService/TaintAuthority": {"authority": "acme/test/issuing/1",
                                                    "reason": "a test"},
    "agentpki.v1.AuthorityService/RevokeAuthority": {"authority": "acme/test/issuing/1",
                                                     "note": "a test"},
    "agentpki.v1.AuthorityService/CreateCertificationRequest": {"authority": "acme/test/issuing/1"},
    "agentpki.v1.AuthorityService/ImportAuthority": {"authority": "acme/test/issuing/1",
                                                     "certificates": ["MAA="]},
    "agentpki.v1.AuthorityService/ListStragglers": {"hierarchy": "acme/test"},
    "agentpki.v1.HierarchyService/ListHierarchies": {},
    "agentpki.v1.HierarchyService/GetHierarchy": {"hierarchy": "acme/test"},
    "agentpki.v1.HierarchyService/PlanHierarchy": {"spec": SPEC},
    "agentpki.v1.HierarchyService/ApplyHierarchy": {"spec": SPEC},
    "agentpki.v1.HierarchyService/DestroyHierarchy": {"hierarchy": "acme/test", "reason": "a test"},
    "agentpki.v1.HierarchyService/ListDestructions": {},
    "agentpki.v1.OperatorService/ListGrants": {},
    "agentpki.v1.OperatorService/AddGrant":
        {"grant": {"operator": "admin", "role": "auditor", "hierarchy": "acme/test"}},
    "agentpki.v1.OperatorService/RemoveGrant":
        {"grant": {"operator": "admin", "role": "auditor", "hierarchy": "acme/test"}},
    "agentpki.v1.DoctorService/Diagnose": {"hierarchy": "acme/test"},
    "agentpki.v1.PolicyService/ListEnrollmentRequests":
        {"hierarchy": "acme/test", "since": "2100-01-01T00:00:00Z"},
    "agentpki.v1.ApprovalService/ListApprovals": {"hierarchy": "acme/test"},
    "agentpki.v1.ApprovalService/ApproveChange": {"id": "0" * 16},
    "agentpki.v1.ApprovalService/DenyChange": {"id": "0" * 16, "reason": "no"},
    "agentpki.v1.ApprovalService/WithdrawApproval": {"id": "0" * 16},
}

HEALTH = "grpc.health.v1.Health/Check"
SERVING = "0801"  # HealthCheckResponse{status: SERVING}


class TlsTest(DeploymentTest):

    def test_accepts_version_1_3(self):
        done = self.deployment.s_client("-tls1_3", "-verify_ip", "127.0.0.1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("New, TLSv1.3", done.stdout)
        self.assertIn("Verify return code: 0 (ok)", done.stdout)
        self.assertIn("ALPN protocol: h2", done.stdout)

    def test_refuses_version_1_2_and_older(self):
        for version in ["-tls1_2", "-tls1_1", "-tls1"]:
            for ciphers in ["DEFAULT:@SECLEVEL=0", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]:
                with self.subTest(version, ciphers=ciphers):
                    done = self.deployment.s_client(version, "-cipher", ciphers)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("New, (NONE), Cipher is (NONE)", done.stdout)

    def test_certificate_carries_all_names_of_the_server_and_no_other(self):
        for words, code in [(["-verify_hostname", "localhost"], 0),
                            (["-verify_ip", "127.0.0.1"], 0),
                            (["-verify_hostname", "example.com"], 1),
                            (["-verify_ip", "127.0.0.2"], 1)]:
            with self.subTest(words[1]):
                self.assertEqual(self.deployment.s_client(*words).returncode, code)


class CallerTest(DeploymentTest):
    options = {"shift_s": 0}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls.deployment.enroll("access/bot")

    def assert_answer(self, answer, code, rule):
        self.assertEqual((answer.code, answer.rule), (code, rule), answer)
        self.assertRegex(answer.correlation_id, "^[0-9a-f]{16}$")

    def forge(self, name, *issuer, uri):
        """Makes a certificate for `uri` by openssl alone, self-signed or signed by `issuer`."""
        key = openssl.new_key(self.deployment.folder / f"{name}.key")
        cert = self.deployment.folder / f"{name}.pem"
        openssl.openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "1",
                        "-addext", f"subjectAltName=URI:{uri}", "-out", cert, *issuer)
        return cert, key

    def test_all_methods_are_covered_here(self):
        self.assertEqual(sorted([ENROLL, RENEW, *OWN_REQUESTS, *OPERATORS_REQUESTS]), methods())
        self.assertEqual(methods(), methods_of_the_contract())

    # ---- anonymous callers ----------------------------------------------------------------------

    def test_an_anonymous_caller_may_only_enroll(self):
        with RawClient(self.deployment) as client:
            for method in methods():
                for request in [{}, OPERATORS_REQUESTS.get(method, {})]:
                    if method == ENROLL:
                        continue
                    with self.subTest(method, request=request):
                        self.assert_answer(client.call(method, request),
                                           "UNAUTHENTICATED", "caller.anonymous")
            answer = client.call(ENROLL, {})
        self.assertEqual(answer.code, "INVALID_ARGUMENT", "the request was parsed")

    def test_an_anonymous_caller_learns_no_hierarchy_names(self):
        with RawClient(self.deployment) as client:
            answers = [client.call("agentpki.v1.RegistryService/ListAgents", {"hierarchy": name})
                       for name in ["acme/test", "acme/none"]]
        self.assertEqual(answers[0]._replace(correlation_id=""),
                         answers[1]._replace(correlation_id=""))

    def test_an_anonymous_caller_may_check_health_and_learns_no_more(self):
        with RawClient(self.deployment) as client:
            answer = client.call(HEALTH, "")
        self.assertEqual((answer.code, answer.response), ("OK", SERVING))

    # ---- certificates of other CAs --------------------------------------------------------------

    def test_a_certificate_of_another_ca_is_refused(self):
        operator = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/admin"
        evil, evil_key = self.forge("evil", uri=operator)
        # A CA with our issuer's name, so that only its signatures differ.
        _, issuer, *_ = openssl.certificates((self.deployment.operator / "cert.pem").read_text())
        namesake = self.deployment.folder / "namesake.pem"
        openssl.openssl("req", "-x509", "-new", "-key", evil_key, "-days", "1", "-out", namesake,
                        "-subj", openssl.subject(issuer))
        expired, expired_key = self.forge("expired", uri=operator)
        openssl.openssl("x509", "-in", expired, "-out", expired, "-days", "-1",
                        "-CA", evil, "-CAkey", evil_key)
        for what, (cert, key) in {
                "self-signed": (evil, evil_key),
                "of another CA": self.forge("other", "-CA", evil, "-CAkey", evil_key,
                                            uri=operator),
                "of another CA, and expired": (expired, expired_key),
                "of a CA with our issuer's name": self.forge(
                    "named", "-CA", namesake, "-CAkey", evil_key, uri=operator),
        }.items():
            with self.subTest(what), RawClient(self.deployment, cert=cert, key=key) as client:
                for method in [RENEW, ENROLL, "agentpki.v1.StatusService/GetStatus"]:
                    self.assert_answer(client.call(method, {}),
                                       "UNAUTHENTICATED", "caller.untrusted")

    def test_a_certificate_without_its_key_is_refused(self):
        cert = self.deployment.operator / "cert.pem"
        key = openssl.new_key(self.deployment.folder / "not-its.key")
        with RawClient(self.deployment, cert=cert, key=key) as client:
            answer = client.call("agentpki.v1.StatusService/GetStatus", {})
        self.assertNotEqual(answer.code, "OK")
        self.assertEqual(answer.correlation_id, "", "TLS failed before any decision")

    def test_an_open_connection_is_refused_once_its_certificate_expires(self):
        agent = self.deployment.enroll("access/brief", "--profile", "brief")
        csr = openssl.new_csr(self.deployment.folder / "brief.csr",
                              openssl.new_key(self.deployment.folder / "brief.key"))
        self.addCleanup(self.deployment.set_clock, 0)
        with RawClient(self.deployment, identity=agent) as client:
            self.assertEqual(client.renew(openssl.der_of_csr(csr)).code, "OK")
            self.deployment.set_clock(301)
            self.assert_answer(client.renew(openssl.der_of_csr(csr)),
                               "UNAUTHENTICATED", "caller.expired")

    # ---- agents ---------------------------------------------------------------------------------

    def test_an_agent_may_call_no_method_of_operators(self):
        with RawClient(self.deployment, identity=self.agent) as client:
            for method, request in OPERATORS_REQUESTS.items():
                with self.subTest(method):
                    answer = client.call(method, request)
                    if method.endswith("GetCertificate"):
                        self.assertEqual(answer.code, "NOT_FOUND", "it may read no certificate")
                    else:
                        self.assert_answer(answer, "PERMISSION_DENIED", "caller.role")
        self.assertEqual(self.deployment.cli("agent", "show", spiffe_id("access/new")).returncode,
                         1)

    def test_an_agent_reads_only_the_trust_bundle_of_its_own_hierarchy(self):
        with RawClient(self.deployment, identity=self.agent) as client:
            answer = client.call("agentpki.v1.TrustBundleService/GetTrustBundle", {})
            self.assertEqual((answer.code, answer.response["bundle"]["hierarchy"]),
                             ("OK", "acme/test"), answer)
            for method in ["GetTrustBundle", "WatchTrustBundle"]:
                self.assert_answer(client.call(f"agentpki.v1.TrustBundleService/{method}",
                                               {"hierarchy": "agentpki/system"}),
                                   "PERMISSION_DENIED", "caller.role")

    def test_an_agent_learns_no_names_of_other_hierarchies(self):
        with RawClient(self.deployment, identity=self.agent) as client:
            answer = client.call("agentpki.v1.RegistryService/ListAgents", {"hierarchy": "x/y"})
        self.assertEqual(answer.code, "NOT_FOUND")
        self.assertNotIn("agentpki/system", answer.message)

    def test_the_cli_tells_an_agent_which_role_is_missing(self):
        done = self.deployment.cli("token", "create", "--agent", spiffe_id("access/bot"),
                                   identity=self.agent)
        self.assert_refused(done, "caller.role", spiffe_id("access/bot"), "registrar")

    def test_the_servers_own_certificate_has_no_role(self):
        tls = self.deployment.server.folder / "run/tls"
        with RawClient(self.deployment, cert=tls / "chain.pem", key=tls / "key.pem") as client:
            for method, request in OPERATORS_REQUESTS.items():
                with self.subTest(method):
                    self.assertIn(client.call(method, request).code,
                                  ["PERMISSION_DENIED", "NOT_FOUND"])

    # ---- bad requests ---------------------------------------------------------------------------

    def test_a_bad_request_id_is_refused(self):
        csr = openssl.der_of_csr(openssl.new_csr(
            self.deployment.folder / "id.csr",
            openssl.new_key(self.deployment.folder / "id.key")))
        with RawClient(self.deployment, identity=self.agent) as client:
            for id in ["", "1", new_request_id()[:-1], "00000000-0000-4000-8000-000000000000",
                       "not\x00text" + new_request_id(), "'; DROP TABLE agentpki.agents; --"]:
                with self.subTest(id):
                    answer = client.renew(csr, request_id=id or " ")
                    self.assertEqual(answer.code, "INVALID_ARGUMENT")
                    self.assertIn("request_id", answer.message)

    def test_an_oversized_request_is_refused(self):
        with RawClient(self.deployment, identity=self.agent) as client:
            answer = client.renew(bytes(16_385))
            self.assert_answer(answer, "INVALID_ARGUMENT", "csr.size")
            self.assertEqual(client.renew(bytes(100_000)).code, "RESOURCE_EXHAUSTED")


if __name__ == "__main__":
    unittest.main()

"""Every decision leaves exactly one audit event: actor, action, subject, decision and rule."""

import unittest

import openssl
from clients import RawClient, new_request_id
from deployment import SYSTEM_TRUST_DOMAIN, DeploymentTest, correlation_id, spiffe_id
from tokens import JoinToken

OPERATOR = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/admin"
BOT = spiffe_id("audit/bot")


class AuditTest(DeploymentTest):

    def setUp(self):
        self.seen = self.last_sequence()

    def last_sequence(self):
        return self.deployment.database.value(
            "SELECT coalesce(max(sequence), 0) FROM agentpki.audit_events")

    def assert_one_event(self, **expected):
        """Checks that exactly one event was added since the last call, with the expected values.
        Returns it.

        Leaves out the conductor's events, which come at any time.
        """
        events = self.deployment.database.rows(f"""
            SELECT e.*, h.tenant || '/' || h.environment AS hierarchy_name
              FROM agentpki.audit_events AS e LEFT JOIN agentpki.hierarchies AS h
                ON h.id = e.hierarchy
             WHERE sequence > {self.seen} AND actor <> 'conductor' ORDER BY sequence""")
        self.assertEqual(len(events), 1, events)
        (event,) = events
        self.seen = event["sequence"]
        expected = {"decision": "allowed", "rule": "", "serial": ""} | expected
        self.assertEqual({name: event[name] for name in expected}, expected)
        if event["decision"] == "allowed":
            self.assertEqual(event["reason"], "")
        self.assertRegex(event["from_address"], r"^ipv4:127\.0\.0\.1:\d+$")
        self.assertRegex(event["correlation_id"], "^[0-9a-f]{16}$")
        return event

    def assert_one_refusal(self, done, **expected):
        """Checks that the CLI was refused, and that one event has what the CLI printed."""
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        event = self.assert_one_event(decision="denied", **expected,
                                      correlation_id=correlation_id(done.stderr))
        self.assertIn(event["reason"], done.stderr)
        if event["rule"]:
            self.assertIn(f"[{event['rule']}]", done.stderr)
        return event

    def new_csr(self):
        key = openssl.new_key(self.deployment.new_folder())
        return openssl.der_of_csr(openssl.new_csr(self.deployment.new_folder(), key))

    def test_each_step_of_an_agents_life_leaves_one_event(self):
        by_operator = {"actor": OPERATOR, "hierarchy_name": "acme/test", "subject": BOT}
        by_agent = {"hierarchy_name": "acme/test", "subject": BOT}

        self.deployment.register("audit/bot")
        self.assert_one_event(action="RegisterAgent", **by_operator)

        done = self.deployment.cli("agent", "register", BOT, "--owner", "another-team")
        self.assert_one_refusal(done, action="RegisterAgent", rule="agent.exists", **by_operator)

        text = self.deployment.new_token("audit/bot")
        token = JoinToken.parse(text)
        self.assert_one_event(action="CreateJoinToken", **by_operator)

        by_token = by_agent | {"actor": f"join-token:{token.id}", "action": "Enroll"}
        csr = openssl.new_csr(self.deployment.folder / "greedy.csr",
                              openssl.new_key(self.deployment.folder / "greedy.key"),
                              subject="/O=Evil")
        folder = self.deployment.new_folder()
        enroll = ["cert", "enroll", "--token-file", "-", "--out", folder]
        done = self.deployment.cli(*enroll, "--csr", csr, input=text)
        event = self.assert_one_refusal(done, rule="csr.subject", **by_token)
        self.assertIn("O=Evil", event["reason"])

        self.deployment.cli(*enroll, input=text, check=True)
        serial = openssl.serial(folder / "cert.pem")
        event = self.assert_one_event(serial=serial, **by_token)
        self.assertRegex(event["request_id"], "^[0-9a-f]{8}-[0-9a-f]{4}-7")

        done = self.deployment.cli("cert", "enroll", "--token-file", "-", "--out",
                                   self.deployment.new_folder(), input=text)
        self.assert_one_refusal(done, rule="join-token.used", **by_token)

        self.deployment.cli("cert", "renew", folder, check=True)
        renewed = openssl.serial(folder / "cert.pem")
        self.assert_one_event(action="Renew", actor=BOT, serial=renewed, **by_agent)

        self.deployment.cli("cert", "show", renewed, check=True)
        self.assert_one_event(action="GetCertificate", serial=renewed, **by_operator)

        unknown = renewed[:-1] + ("1" if renewed[-1] == "0" else "0")
        done = self.deployment.cli("cert", "show", unknown)
        self.assert_one_refusal(done, action="GetCertificate", actor=OPERATOR,
                                   serial=unknown)

        done = self.deployment.cli("token", "create", "--agent", BOT, identity=folder)
        self.assert_one_refusal(done, action="CreateJoinToken", actor=BOT, rule="caller.role",
                                   **by_agent)

        revoke = ["token", "revoke", token.id, "--hierarchy", "acme/test"]
        done = self.deployment.cli(*revoke)
        self.assert_one_refusal(done, action="RevokeJoinToken", actor=OPERATOR,
                                   rule="join-token.used", subject=f"join-token:{token.id}")

        unused = JoinToken.parse(self.deployment.new_token("audit/bot"))
        self.assert_one_event(action="CreateJoinToken", **by_operator)
        self.deployment.cli("token", "revoke", unused.id, "--hierarchy", "acme/test", check=True)
        self.assert_one_event(action="RevokeJoinToken", actor=OPERATOR,
                              subject=f"join-token:{unused.id}", hierarchy_name="acme/test")

    def test_each_read_leaves_one_event(self):
        with RawClient(self.deployment, identity=self.deployment.operator) as client:
            for method, request, expected in [
                    ("StatusService/GetStatus", {}, {}),
                    ("RegistryService/ListAgents", {"hierarchy": "acme/test"},
                     {"hierarchy_name": "acme/test"}),
                    ("RegistryService/ListJoinTokens", {"hierarchy": "acme/test"},
                     {"hierarchy_name": "acme/test"}),
                    ("CertificateService/ListCertificates", {"hierarchy": "acme/test"},
                     {"hierarchy_name": "acme/test"})]:
                with self.subTest(method):
                    answer = client.call(f"agentpki.v1.{method}", request)
                    self.assertEqual(answer.code, "OK", answer)
                    self.assert_one_event(action=method.split("/")[1], actor=OPERATOR,
                                          correlation_id=answer.correlation_id, **expected)

    def test_anonymous_calls_leave_one_event_each(self):
        with RawClient(self.deployment) as client:
            answer = client.call("agentpki.v1.StatusService/GetStatus", {})
            self.assert_one_event(action="GetStatus", actor="anonymous", decision="denied",
                                  rule="caller.anonymous", reason=answer.message,
                                  correlation_id=answer.correlation_id)
            token = JoinToken("", b"", b"guess" * 6 + b"12")
            answer = client.enroll(token, self.new_csr())
            self.assert_one_event(action="Enroll", actor="anonymous", decision="denied",
                                  rule="join-token.unknown", reason=answer.message,
                                  correlation_id=answer.correlation_id)

    def test_a_retry_leaves_its_own_event_with_the_rule_replay(self):
        self.deployment.register("audit/retry")
        token = JoinToken.parse(self.deployment.new_token("audit/retry"))
        self.seen = self.last_sequence()
        csr, request_id = self.new_csr(), new_request_id()
        with RawClient(self.deployment) as client:
            for rule in ["", "replay"]:
                answer = client.enroll(token, csr, request_id)
                self.assert_one_event(action="Enroll", rule=rule, serial=answer.issued["serial"],
                                      request_id=request_id, correlation_id=answer.correlation_id)
            answer = client.enroll(token, self.new_csr(), request_id)
            self.assert_one_event(action="Enroll", decision="denied", rule="request-id.reused",
                                  reason=answer.message, request_id=request_id,
                                  correlation_id=answer.correlation_id)

    def test_hostile_input_is_recorded_and_does_no_harm(self):
        token = JoinToken("", b"", bytes(32))
        with RawClient(self.deployment) as client:
            for request_id in ["'; DROP SCHEMA agentpki CASCADE; --", "{},\"\\", "\n\x1b[2J",
                               "with\0nothing", "\N{SNOWMAN}" * 10_000]:
                with self.subTest(request_id[:40]):
                    answer = client.enroll(token, b"", request_id)
                    self.assertEqual(answer.code, "INVALID_ARGUMENT")
                    self.assert_one_event(action="Enroll", actor="anonymous", decision="denied",
                                          reason=answer.message,
                                          correlation_id=answer.correlation_id)
        self.assertEqual(self.deployment.server.log().count("was not recorded"), 0)

    def test_a_failed_call_is_recorded_as_failed_if_the_database_allows_it(self):
        self.deployment.register("audit/unlucky")
        token = JoinToken.parse(self.deployment.new_token("audit/unlucky"))
        self.seen = self.last_sequence()
        with RawClient(self.deployment) as client:
            # The lock outlasts the server's lock timeout.
            with self.deployment.database.locked("agentpki.join_tokens"):
                answer = client.enroll(token, self.new_csr())
            self.assertEqual(answer.code, "DEADLINE_EXCEEDED", answer)
            self.assert_one_event(action="Enroll", decision="failed", reason=answer.message,
                                  correlation_id=answer.correlation_id)


if __name__ == "__main__":
    unittest.main()

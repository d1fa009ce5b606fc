"""Policy as code: the cases of a file, and the replay of past requests on a proposed policy."""

import json
import time
import unittest

import deployment
from clients import RawClient
from deployment import SYSTEM_TRUST_DOMAIN, DeploymentTest, spiffe_id
from tokens import JoinToken

LIST = "agentpki.v1.PolicyService/ListEnrollmentRequests"

SANDBOX = {"name": "sandbox-serves-nobody", "effect": "refuse", "agents": ["sandbox/**"],
           "profiles": ["service"], "reason": "sandbox agents do not offer services"}
FILE = deployment.HIERARCHY | {"enrollment": {"rules": [SANDBOX]}}


def profiles(**agent):
    """Returns the profiles of FILE, with changes of the profile `agent`."""
    first, *others = FILE["profiles"]
    return {"profiles": [first | agent, *others]}


class PolicyTest(DeploymentTest):
    options = {"hierarchy": FILE}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_requests()

    @classmethod
    def make_requests(cls):
        """Makes requests: some are admitted, some refused by the policy, some by other rules."""
        enroll, cli = cls.deployment.enroll, cls.deployment.cli
        folder = enroll("billing/bot")
        cli("cert", "renew", folder, check=True)
        cls.deployment.register("billing/fast")
        cls.enroll_with("billing/fast", "--key-type", "p384", check=True)

        cls.deployment.register("sandbox/bot", "--profile", "service")
        cls.enroll_with("sandbox/bot")
        cls.enroll_with("billing/fast", "--key-type", "ed25519")

        used = cls.deployment.token_file("billing/fast")
        for _ in range(2):
            cli("cert", "enroll", "--token-file", used, "--out", cls.deployment.new_folder())
        with RawClient(cls.deployment) as client:
            client.enroll(JoinToken.parse(cls.deployment.new_token("billing/bot")), b"no csr")
            client.enroll(JoinToken.parse(cls.deployment.new_token("sandbox/bot")), b"")

    @classmethod
    def enroll_with(cls, path, *words, **options):
        return cls.deployment.cli("cert", "enroll", "--token-file", cls.deployment.token_file(path),
                                  "--out", cls.deployment.new_folder(), *words, **options)

    def file(self, **changes):
        """Writes FILE with `changes` to a file; returns the file. JSON is YAML."""
        file = self.deployment.folder / "proposed.yaml"
        file.write_text(json.dumps(FILE | changes, indent=1))
        return file

    def replay(self, file, *words, **options):
        return self.deployment.cli("policy", "replay", "-f", file, *words, **options)

    def report(self, file, code):
        """Checks that a replay exits with `code`; returns its JSON output."""
        done = self.replay(file, "--output", "json")
        self.assertEqual(done.returncode, code, done.stderr)
        if code == 2:
            self.assertIn("decides some past requests of acme/test differently", done.stderr)
        return json.loads(done.stdout)

    def assert_changes(self, changes, *expected):
        self.assertEqual([(c["spiffe_id"], c["rule"], c["standing_rule"], c["count"])
                          for c in changes], list(expected))

    # ---- policy test ----------------------------------------------------------------------------

    def test_the_cases_of_a_file_need_no_server(self):
        cases = self.deployment.folder / "cases.yaml"
        cases.write_text(json.dumps({"cases": [
            {"name": "sandbox", "agent": "sandbox/bot", "profile": "service", "expect": "refused",
             "by": "policy.sandbox-serves-nobody"},
            {"name": "billing", "agent": "billing/bot", "expect": "admitted"}]}))
        done = self.deployment.cli("policy", "test", self.file(), cases, identity="/nobody")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    # ---- policy replay --------------------------------------------------------------------------

    def test_the_current_file_changes_nothing(self):
        report = self.report(self.file(), 0)
        self.assertEqual(report["hierarchy"], "acme/test")
        self.assertEqual((report["newly_refused"], report["newly_admitted"]), ([], []))
        self.assertEqual((report["still_admitted_count"], report["still_refused_count"]),
                         ("4", "2"))
        self.assertEqual(report["refused_otherwise_count"], "3", "one used token, two malformed requests")
        self.assertEqual((report["failed_count"], report["without_facts_count"]), ("0", "0"))

    def test_a_narrower_policy_lists_the_newly_refused_agents_and_the_fix(self):
        no_p384 = {"name": "no-p384", "effect": "refuse", "key_types": ["p384"],
                   "reason": "it is slow here"}
        no_renewal = {"name": "no-renewal", "effect": "refuse", "agents": ["billing/bot"],
                      "operations": ["renew"]}
        narrower = self.file(enrollment={"rules": [SANDBOX, no_p384, no_renewal]})
        report = self.report(narrower, 2)
        self.assert_changes(
            report["newly_refused"],
            (spiffe_id("billing/bot"), "policy.no-renewal", "", "1"),
            (spiffe_id("billing/fast"), "policy.no-p384", "", "1"))
        self.assertIn("it is slow here; the same with a p256 key would pass",
                      report["newly_refused"][1]["reason"])
        self.assertEqual(report["newly_admitted"], [])
        self.assertEqual(report["still_admitted_count"], "2")

        done = self.replay(narrower)
        self.assertEqual(done.returncode, 2)
        for words in [r"acme/test: 9 requests since 20", r"refused +\S+/billing/bot +policy\.no-ren"
                      r"ewal +- +1 +.*ago", "what is not of agents billing/bot, operations renew",
                      r"still admitted +2\n", r"refused by another rule +3, not replayed"]:
            self.assertRegex(done.stdout, words)
        self.assertNotIn("requests, up to", done.stderr, "progress is shown only on a terminal")

    def test_a_wider_policy_lists_the_newly_admitted_agents(self):
        report = self.report(self.file(enrollment={"rules": []}), 2)
        self.assert_changes(report["newly_admitted"],
                            (spiffe_id("sandbox/bot"), "", "policy.sandbox-serves-nobody", "1"))
        self.assertEqual(report["newly_refused"], [])
        report = self.report(self.file(**profiles(key_types=["p256", "p384", "ed25519"])), 2)
        self.assert_changes(report["newly_admitted"],
                            (spiffe_id("billing/fast"), "", "profile.key-type", "1"))

    def test_a_profile_with_fewer_key_types_or_a_missing_profile_is_narrower(self):
        report = self.report(self.file(**profiles(key_types=["p256"])), 2)
        self.assert_changes(report["newly_refused"],
                            (spiffe_id("billing/fast"), "profile.key-type", "", "1"))
        report = self.report(self.file(**profiles(name="bot")), 2)
        self.assert_changes(report["newly_refused"],
                            (spiffe_id("billing/bot"), "profile.unknown", "", "2"),
                            (spiffe_id("billing/fast"), "profile.unknown", "", "2"))

    def test_a_long_period_is_read_page_by_page(self):
        self.deployment.database.execute(f"""
            INSERT INTO agentpki.audit_events (at, actor, action, decision, rule, reason, hierarchy,
                subject, serial, from_address, correlation_id, request_id, request)
            SELECT now() - i * interval '1 second', '', 'Renew', 'allowed', '', '', h.id,
                '{spiffe_id("past/bot")}', '', '', '', '',
                '{{"owner": "o", "role": "", "version": "", "profile": "agent", "key_type": "p256"}}'
              FROM agentpki.hierarchies AS h, generate_series(1, 2500) AS i
             WHERE h.tenant = 'acme'""")
        try:
            no_past = {"name": "no-past", "effect": "refuse", "agents": ["past/*"]}
            report = self.report(self.file(enrollment={"rules": [SANDBOX, no_past]}), 2)
            self.assert_changes(report["newly_refused"],
                                (spiffe_id("past/bot"), "policy.no-past", "", "2500"))
            self.assertEqual(report["still_admitted_count"], "4")
        finally:
            self.deployment.database.execute(
                f"DELETE FROM agentpki.audit_events WHERE subject = '{spiffe_id('past/bot')}'")

    def test_a_new_hierarchy_has_no_requests(self):
        file = self.file(environment="pr-1", trust_domain="pr-1.acme.example")
        done = self.replay(file)
        self.assertEqual((done.returncode, done.stdout),
                         (0, "acme/pr-1: a new hierarchy, without past requests\n"), done.stderr)
        self.assertEqual(self.report(file, 0)["still_admitted_count"], "0")

    def test_a_bad_file_or_period_is_refused_without_a_server(self):
        file = self.deployment.folder / "wrong.yaml"
        file.write_text(json.dumps(FILE | {"enrollment": {"rules": [{"nmae": "x"}]}}, indent=1))
        done = self.replay(file, identity="/nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nmae", done.stderr)
        for since in ["91d", "yesterday", "-1d"]:
            done = self.replay(self.file(), f"--since={since}", identity="/nobody")
            self.assertEqual(done.returncode, 1, since)
            self.assertIn("--since: ", done.stderr)

    # ---- the call -------------------------------------------------------------------------------

    def test_only_auditors_and_admins_may_replay(self):
        for role, code in [("auditor", 0), ("registrar", 1), ("revoker", 1)]:
            operator = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/{role}"
            self.deployment.cli("agent", "register", operator, "--owner", "test", check=True)
            self.deployment.cli("operator", "grant", role, role, "--hierarchy", "acme/test",
                                check=True)
            token = self.deployment.folder / f"{role}.token"
            token.touch(mode=0o600)
            token.write_text(self.deployment.cli("token", "create", "--agent", operator,
                                                 check=True).stdout)
            folder = self.deployment.new_folder()
            self.deployment.cli("cert", "enroll", "--token-file", token, "--out", folder,
                                check=True)
            with self.subTest(role):
                done = self.replay(self.file(), identity=folder)
                self.assertEqual(done.returncode, code, done.stderr)
                if code:
                    self.assertIn("[caller.role]", done.stderr)

    def listed(self, client, **request):
        since = {"since": f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 3600))}"}
        return client.call(LIST, {"hierarchy": "acme/test", **since, **request})

    def test_each_page_continues_the_previous_one_and_leaves_an_event(self):
        count = ("SELECT count(*) FROM agentpki.audit_events "
                 "WHERE action = 'ListEnrollmentRequests' AND decision = 'allowed'")
        before = self.deployment.database.value(count)
        with RawClient(self.deployment, identity=self.deployment.operator) as client:
            whole = self.listed(client).response
            self.assertEqual(whole.get("next_page_token", ""), "")
            found, token = [], ""
            for _ in range(5):
                page = self.listed(client, page_size=2, page_token=token).response
                found += page["requests"]
                token = page.get("next_page_token", "")
            self.assertEqual((found, token), (whole["requests"], ""))
            self.assertEqual(len(found), 9)
        self.assertEqual(self.deployment.database.value(count), before + 6)
        first, last = found[0], found[-1]
        self.assertEqual(
            (first["operation"], first["spiffe_id"], first["decision"], first["facts"]),
            ("enroll", spiffe_id("billing/bot"), "allowed",
             {"owner": "test-team", "profile": "agent", "key_type": "p256"}))
        self.assertEqual((last["decision"], last["rule"]), ("denied", "csr.malformed"))
        self.assertIsNone(last.get("facts"))

    def test_page_size_and_period_are_bounded(self):
        with RawClient(self.deployment, identity=self.deployment.operator) as client:
            for field, request in [("since", {"since": None}),
                                   ("since", {"since": "2020-01-01T00:00:00Z"}),
                                   ("page_size", {"page_size": 1001}),
                                   ("page_size", {"page_size": -1}),
                                   ("page_token", {"page_token": "1"}),
                                   ("page_token", {"page_token": "1.1'; --"})]:
                with self.subTest(field, request=request):
                    answer = self.listed(client, **request)
                    self.assertEqual(answer.code, "INVALID_ARGUMENT", answer)
                    self.assertTrue(answer.message.startswith(f"{field}: "), answer)
            answer = self.listed(client, hierarchy="acme/none")
            self.assertEqual(answer.code, "NOT_FOUND")

    # ---- applied --------------------------------------------------------------------------------

    def test_z_an_applied_change_is_no_longer_reported(self):
        no_p384 = {"name": "no-p384", "effect": "refuse", "key_types": ["p384"]}
        narrower = self.file(enrollment={"rules": [SANDBOX, no_p384]})
        self.report(narrower, 2)
        self.deployment.cli("hierarchy", "apply", "-f", narrower, check=True)
        report = self.report(narrower, 0)
        self.assertEqual((report["still_admitted_count"], report["still_refused_count"]),
                         ("3", "3"))
        self.assert_changes(self.report(self.file(), 2)["newly_admitted"],
                            (spiffe_id("billing/fast"), "", "policy.no-p384", "1"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

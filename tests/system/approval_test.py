"""Changes that need two operators: one runs the command, another approves it, the first repeats it."""

import json
import re
import unittest

import openssl
from deployment import HIERARCHY, SYSTEM_TRUST_DOMAIN, DeploymentTest
from programs import kill

EXPIRE_AFTER_S = 3600
PENDING = 75  # sysexits.h: EX_TEMPFAIL


class ApprovalTest(DeploymentTest):
    options = {"shift_s": 0, "hierarchy": HIERARCHY | {"approvals": {"expire_after": "1h"}}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The first operator is admin over all hierarchies, bob over the tenant acme.
        cls.bob = cls.operator("bob", "admin", "--tenant", "acme")

    @classmethod
    def operator(cls, name, *grant):
        """Makes an operator; returns the folder with its credentials."""
        deployment = cls.deployment
        identity = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/{name}"
        deployment.cli("agent", "register", identity, "--owner", name, check=True)
        deployment.cli("operator", "grant", name, *grant, check=True)
        return deployment.join(identity)

    def assert_pending(self, done):
        """Checks that the command waits for an approval; returns the approval's id."""
        self.assertEqual((done.returncode, done.stdout), (PENDING, ""), done.stderr)
        self.assertIn("[approval.pending]", done.stderr)
        return re.search(r"agentpki approval approve ([0-9a-f]{16});", done.stderr)[1]

    def approve(self, id):
        return self.deployment.json("approval", "approve", id, "--reason", "seen", identity=self.bob)

    def state_of(self, id):
        (found,) = [approval for approval in self.deployment.json("approval", "list", "--all")
                    if approval["id"] == id]
        return found["state"]

    def file(self, **changes):
        file = self.deployment.folder / "acme-test.yaml"
        file.write_text(json.dumps(HIERARCHY | {"approvals": {"expire_after": "1h"}} | changes))
        return file

    def profiles(self, **changes):
        """Returns the profiles of HIERARCHY, with `changes` in the first one."""
        first, *others = HIERARCHY["profiles"]
        return [first | changes, *others]

    # ---- roots ----------------------------------------------------------------------------------

    def test_1_a_new_root_needs_two_operators(self):
        prepare = ["authority", "prepare", "acme/test", "--root"]
        id = self.assert_pending(self.deployment.cli(*prepare))
        self.assertEqual(self.assert_pending(self.deployment.cli(*prepare)), id, "the same request")

        self.assert_refused(self.deployment.cli("approval", "approve", id), "approval.own")
        shown = self.deployment.cli("approval", "list", identity=self.bob, check=True).stdout
        self.assertRegex(shown, rf"{id}  acme/test  root-rotation  admin     .* ago +pending  "
                                r"expires in 59m")
        self.assertIn(f"\n{id}: admin requests in acme/test:\n"
                      "    make the root acme/test/root/2, for 3650d\n", shown)
        self.assertIn(f"  agentpki approval approve {id}\n", shown)

        approved = self.approve(id)
        self.assertEqual((approved["state"], approved["decided_by"], approved["reason"]),
                         ("approved", "bob", "seen"))
        other = self.assert_pending(self.deployment.cli(*prepare, identity=self.bob))
        self.assertNotEqual(other, id, "an approval is for its requester only")
        root = self.deployment.json(*prepare)
        self.assertEqual(root["name"], "acme/test/root/2")
        self.assertEqual(self.state_of(id), "done")
        self.assertEqual(self.deployment.json(*prepare)["name"], root["name"], "it exists")
        self.deployment.cli("approval", "deny", other, "--reason", "done by the other", check=True)
        self.assertEqual(self.deployment.cli("approval", "list", check=True).stdout,
                         "no pending or approved changes\n")

    # ---- files ----------------------------------------------------------------------------------

    def test_2_widening_a_file_needs_two_operators_and_the_approval_covers_exactly_that_change(self):
        wider = self.file(profiles=self.profiles(lifetime="2h"))
        plan = self.deployment.json("hierarchy", "plan", "-f", wider)
        self.assertEqual(plan["changes"], [{"field": "profiles.agent.lifetime", "before": "1h",
                                            "after": "2h", "widens": True}])
        self.assertTrue(plan["needs_approval"])
        shown = self.deployment.cli("hierarchy", "plan", "-f", wider, check=True).stdout
        self.assertIn("  ~ profiles.agent.lifetime: 1h -> 2h   (widens)\n", shown)
        self.assertIn("it needs two operators", shown)

        apply = ["hierarchy", "apply", "-f", wider]
        id = self.assert_pending(self.deployment.cli(*apply))
        (approval,) = self.deployment.json("approval", "list", identity=self.bob)
        self.assertEqual(approval["changes"], ["widens profiles.agent.lifetime: 1h -> 2h"])
        self.assertEqual(approval["digest"], plan["digest"])
        self.approve(id)

        self.file(profiles=self.profiles(lifetime="2h", host_names=True))
        another = self.assert_pending(self.deployment.cli(*apply))
        self.assertNotEqual(another, id, "one more field makes another change")
        self.file(profiles=self.profiles(lifetime="2h"))
        self.deployment.json(*apply)
        folder = self.deployment.enroll("approval/bot")
        self.assertEqual(openssl.lifetime_s(folder / "cert.pem"), 2 * 3600 + 60)

        # One operator narrows the file. To widen it again is another change, so it needs an approval.
        self.file()
        self.deployment.json(*apply)
        self.file(profiles=self.profiles(lifetime="2h"))
        again = self.assert_pending(self.deployment.cli(*apply))
        self.assertNotIn(again, [id, another])
        for pending in [another, again]:
            self.deployment.json("approval", "deny", pending, "--reason", "no", identity=self.bob)

    def test_3_one_operator_cannot_switch_approvals_off(self):
        file = self.file(approvals={"policy_widening": False, "expire_after": "1h"})
        id = self.assert_pending(self.deployment.cli("hierarchy", "apply", "-f", file))
        self.deployment.json("approval", "deny", id, "--reason", "no", identity=self.bob)
        id = self.assert_pending(self.deployment.cli(
            "operator", "grant", "admin", "admin", "--hierarchy", "acme/test"))
        self.deployment.json("approval", "deny", id, "--reason", "no", identity=self.bob)

    # ---- authorities ----------------------------------------------------------------------------

    def test_4_a_denied_change_stays_denied_until_it_expires(self):
        revoke = ["cert", "revoke", "--authority", "acme/test/issuing/1", "--reason",
                  "cACompromise"]
        self.deployment.cli(*revoke, "--dry-run", check=True)
        id = self.assert_pending(self.deployment.cli(*revoke, "--yes"))
        done = self.deployment.cli("approval", "deny", id, identity=self.bob)
        self.assertEqual(done.returncode, 64, "--reason is missing")
        self.deployment.json("approval", "deny", id, "--reason", "it is not lost",
                             identity=self.bob)
        self.assert_refused(self.deployment.cli(*revoke, "--yes"), "approval.denied",
                            "by bob: it is not lost")
        self.assert_refused(self.deployment.cli("approval", "approve", id, identity=self.bob),
                            "approval.decided")

        self.addCleanup(self.deployment.set_clock, 0)
        self.deployment.set_clock(EXPIRE_AFTER_S + 1)
        second = self.assert_pending(self.deployment.cli(*revoke, "--yes"))
        self.assertNotEqual(second, id)
        self.deployment.set_clock(2 * EXPIRE_AFTER_S + 2)
        self.assert_refused(self.deployment.cli("approval", "approve", second, identity=self.bob),
                            "approval.expired")

    def test_5_revoking_an_authority_needs_two_operators(self):
        folder = self.deployment.enroll("approval/revoked")
        serial = openssl.serial(folder / "cert.pem")
        (authority,) = [each for each in self.deployment.json("authority", "list", "--hierarchy",
                                                              "acme/test")
                        if each["name"] == "acme/test/issuing/1"]
        whole = ["authority", "revoke", authority["name"], "--note", "stolen", "--yes"]
        id = self.assert_pending(self.deployment.cli(*whole))
        self.deployment.json("approval", "deny", id, "--reason", "no", identity=self.bob)

        revoke = ["cert", "revoke", "--authority", authority["name"], "--reason", "superseded"]
        self.approve(self.assert_pending(self.deployment.cli(*revoke, "--yes")))
        self.assert_refused(self.deployment.cli(*whole), "approval.denied")
        self.assertGreater(int(self.deployment.json(*revoke, "--yes")["revoked_count"]), 0)
        self.assertRegex(self.deployment.cli("cert", "revoke", serial, check=True).stdout,
                         r"It was already revoked at .* \(superseded\)")
        # One operator is enough to revoke the certificates of one agent.
        other = self.deployment.enroll("approval/other")
        self.deployment.cli("cert", "revoke", openssl.serial(other / "cert.pem"), check=True)

        revoke = ["authority", "revoke", authority["name"], "--yes", "--note"]
        self.approve(self.assert_pending(self.deployment.cli(*revoke, "lost")))
        self.assert_pending(self.deployment.cli(*revoke, "found"))
        self.deployment.cli(*revoke, "lost", check=True)

    # ---- destruction ----------------------------------------------------------------------------

    def test_6_destroying_a_hierarchy_needs_two_operators(self):
        file = self.deployment.folder / "pr.yaml"
        file.write_text(json.dumps({
            "tenant": "acme", "environment": "pr-1", "trust_domain": "pr-1.acme.example",
            "profiles": [{"name": "agent"}]}))
        self.deployment.json("hierarchy", "apply", "-f", file)
        destroy = ["hierarchy", "destroy", "-f", file, "--reason", "merged", "--yes"]
        id = self.assert_pending(self.deployment.cli(*destroy))
        self.deployment.cli("hierarchy", "show", "acme/pr-1", check=True)
        self.approve(id)
        # A kill in the transaction: neither the destruction nor the use of the approval is recorded.
        with self.deployment.database.locked("agentpki.audit_events") as await_waiter:
            command = self.deployment.spawn_cli(*destroy)
            await_waiter()
            self.deployment.server.kill()
            kill(command)
        self.deployment.server.start()
        self.assertEqual(self.state_of(id), "approved")
        self.deployment.cli("hierarchy", "show", "acme/pr-1", check=True)
        self.deployment.cli(*destroy, check=True)
        self.assertEqual(self.deployment.database.value(
            f"SELECT outcome FROM agentpki.approval_ends WHERE approval = '{id}'"), "used")
        self.assertEqual(self.deployment.cli("hierarchy", "show", "acme/pr-1").returncode, 1)

    # ---- the system hierarchy -------------------------------------------------------------------

    def test_7_the_configuration_sets_the_approvals_of_the_system_hierarchy(self):
        config = self.deployment.config(self.deployment.server)
        del config["system"]["approvals"]
        self.deployment.server.write_config(config)
        self.deployment.run_server("init", check=True)
        self.assert_pending(self.deployment.cli("authority", "prepare", "agentpki/system",
                                                "--root"))

    # ---- withdrawal -----------------------------------------------------------------------------

    def test_8_only_the_requester_withdraws(self):
        file = self.file(profiles=self.profiles(host_names=True))
        apply = ["hierarchy", "apply", "-f", file]
        id = self.assert_pending(self.deployment.cli(*apply))
        self.assert_refused(self.deployment.cli("approval", "withdraw", id, identity=self.bob),
                            "approval.not-own")
        self.approve(id)
        done = self.deployment.cli("approval", "withdraw", id, check=True)
        self.assertIn(f"{id} withdrawn: policy-widening in acme/test, requested by admin\n",
                      done.stdout)
        self.assertEqual(self.deployment.json("approval", "withdraw", id)["state"], "withdrawn",
                         "a repeat is not an error")
        self.assertRegex(self.deployment.cli("approval", "list", "--all", check=True).stdout,
                         rf"{id} .* withdrawn .* ago +bob")
        other = self.assert_pending(self.deployment.cli(*apply))
        self.assertNotEqual(other, id, "the withdrawn approval is not used")
        self.deployment.cli("approval", "withdraw", other, check=True)
        self.assert_refused(self.deployment.cli("approval", "approve", other, identity=self.bob),
                            "approval.withdrawn")

    # ---- records ----------------------------------------------------------------------------------

    def test_9_the_audit_log_holds_each_step(self):
        carol = self.operator("carol", "auditor", "--tenant", "acme")
        (asked, *_) = self.deployment.json("approval", "list", "--all", "--hierarchy", "acme/test",
                                           identity=carol)
        self.assert_refused(self.deployment.cli("approval", "approve", asked["id"],
                                                identity=carol), "caller.role")
        events = self.deployment.database.rows("""
            SELECT e.action, e.actor, e.decision FROM agentpki.audit_events AS e
              JOIN agentpki.approval_ends AS u ON u.approval = e.subject
             WHERE u.ended_at = (SELECT min(ended_at) FROM agentpki.approval_ends)
             ORDER BY e.sequence""")
        name = f"spiffe://{SYSTEM_TRUST_DOMAIN}/operator/"
        self.assertEqual(
            [(event["action"], event["actor"].removeprefix(name), event["decision"])
             for event in events],
            [("RequestApproval", "admin", "allowed"), ("ApproveChange", "admin", "denied"),
             ("ApproveChange", "bob", "allowed"), ("UseApproval", "admin", "allowed")])


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""One issuing authority replaces another under load, without a failure. Two servers."""

import time
import unittest

import openssl
from clients import Load, RawClient
from deployment import HIERARCHY
from programs import wait_until
from rotation import PUBLISH_AHEAD_S, SOON_S, RotationCase


class HandTest(RotationCase):
    options = {"durable": True}

    def test_rotation_under_load_causes_no_failure(self):
        before = self.enroll("rotation/before")
        with Load(self.deployment, "rotation/load", threads=4) as load:
            load.wait_for_certificates()
            done = self.deployment.cli("authority", "activate", "acme/test/issuing/2")
            self.assertIn("there is no issuing authority", done.stderr)

            prepared = self.deployment.json("authority", "prepare", "acme/test")
            self.assertEqual(prepared["state"], "published")
            self.assert_refused(self.deployment.cli("authority", "activate", prepared["name"]),
                                "authority.just-published", "retry in")
            self.assertEqual(self.states(), {1: "active", 2: "published"})
            time.sleep(PUBLISH_AHEAD_S)
            load.wait_for_certificates()
            self.assertEqual(set(self.generations()), {1})

            self.deployment.json("authority", "activate", prepared["name"])
            self.assertEqual(self.states(), {1: "retiring", 2: "active"})
            load.wait_for_certificates(50)
            after = self.enroll("rotation/after")
            self.assert_well(before, after)
            # A certificate of the previous authority renews, and the new one comes from the next.
            for server in self.deployment.servers:
                with RawClient(self.deployment, server, cert=before.chain, key=before.key) as client:
                    csr = openssl.new_csr(self.deployment.new_folder(),
                                          openssl.new_key(self.deployment.new_folder()))
                    self.assertEqual(client.renew(openssl.der_of_csr(csr)).code, "OK")

            back = self.deployment.json("authority", "rollback", "acme/test")
            self.assertEqual((back["name"], back["state"]), ("acme/test/issuing/1", "active"))
            load.wait_for_certificates(50)
            self.assertEqual(self.states(), {1: "active", 2: "retiring"})
            self.assert_well(before, after, self.enroll("rotation/back"))
            load.stop()
            load.check(self)
            self.assertEqual({attempt.code for attempt in load.attempts()}, {"OK"})
        self.assert_never_two_issuers()
        for report in self.deployment.json("status", "check"):
            self.assertEqual(report["discrepancies"], [])

    def test_the_list_shows_the_overlap(self):
        shown = self.deployment.cli("authority", "list", check=True).stdout
        self.assertRegex(shown, r"acme/test/issuing/1 +#")
        self.assertIn("# active", shown)
        self.assertEqual(self.deployment.cli("authority", "list", "--hierarchy", "acme/nothing")
                         .returncode, 1)

    def test_the_audit_log_holds_each_step(self):
        self.deployment.json("authority", "prepare", "agentpki/system")
        events = self.deployment.database.rows("""
            SELECT action, actor, decision FROM agentpki.audit_events
             WHERE subject LIKE 'agentpki/system/issuing/2%' ORDER BY sequence""")
        self.assertIn("PrepareAuthority", [event["action"] for event in events])
        self.assertIn("PlanAuthority", [event["action"] for event in events])
        self.assertTrue(all("/operator/" in event["actor"] for event in events), events)


class ScheduleTest(RotationCase):
    options = {"durable": True,
               "hierarchy": HIERARCHY | {"issuing": {"rotate_every": f"{3 * PUBLISH_AHEAD_S}s",
                                                     "publish_ahead": f"{PUBLISH_AHEAD_S}s"}}}

    def test_rotation_continues_after_the_conductor_is_killed(self):
        with Load(self.deployment, "rotation/load", threads=2) as load:
            wait_until(lambda: self.states().get(2) == "published", "the successor is published",
                       3 * SOON_S)
            conductor = self.deployment.conductor()
            if conductor is self.deployment.server:  # the load and the operator need this server
                conductor.restart()
            else:
                conductor.kill()
                conductor.start()
            wait_until(lambda: self.states().get(2) == "active", "the successor is active",
                       3 * SOON_S)
            load.wait_for_certificates()
            self.assertLessEqual(set(self.states()), {1, 2, 3})
            self.assertEqual(list(self.states().values()).count("active"), 1)
            load.stop()
            load.check(self)
        self.assert_never_two_issuers()
        self.assert_nothing_outlives_its_issuer()
        self.assert_well(self.enroll("rotation/scheduled"))


if __name__ == "__main__":
    unittest.main()

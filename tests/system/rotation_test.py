"""One issuing authority follows another under load, and nobody notices. Two servers."""

import socket
import ssl
import threading
import time
import unittest

import openssl
from clients import Load, RawClient
from deployment import HIERARCHY, DeploymentTest
from programs import PATIENCE_S, SANITIZE, wait_until
from relying_party import Credentials

PUBLISH_AHEAD_S = 15  # the least that there is
SOON_S = 120 if SANITIZE else 40


def context_of(credentials, purpose):
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # agents have SPIFFE IDs
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(credentials.chain, credentials.key)
    context.load_verify_locations(credentials.root)
    return context


def talk(server, client):
    """A TLS handshake in which each verifies the other, and a few octets; raises what fails."""
    left, right = socket.socketpair()
    left.settimeout(PATIENCE_S)
    right.settimeout(PATIENCE_S)
    failures = []

    def serve():
        try:
            with context_of(server, ssl.PROTOCOL_TLS_SERVER).wrap_socket(left, server_side=True) as tls:
                tls.sendall(tls.recv(5))
        except OSError as failure:
            failures.append(failure)
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with context_of(client, ssl.PROTOCOL_TLS_CLIENT).wrap_socket(right) as tls:
            tls.sendall(b"hello")
            if tls.recv(5) != b"hello":
                raise AssertionError(f"the answer is another: {failures}")
    finally:
        thread.join()
    if failures:
        raise failures[0]


class RotationCase(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()

    def states(self):
        """Of the issuing authorities of acme/test, by generation."""
        return {authority["generation"]: authority["state"]
                for authority in self.deployment.json("authority", "list", "--hierarchy", "acme/test")
                if authority["kind"] == "issuing"}

    def enroll(self, path):
        return Credentials(self.deployment.enroll(path))

    def generations(self):
        """How many certificates each issuing authority has issued in acme/test."""
        return {row["generation"]: row["count"] for row in self.deployment.database.rows("""
            SELECT a.generation, count(*) FROM agentpki.issuances AS i
              JOIN agentpki.authorities AS a ON a.id = i.authority
              JOIN agentpki.hierarchies AS h ON h.id = i.hierarchy
             WHERE h.tenant = 'acme' GROUP BY a.generation""")}

    def assert_never_two_issuers(self):
        """What was recorded was recorded by the authority that was active then; to two seconds,
        because the times are those of the servers and not of the commits."""
        wrong = self.deployment.database.rows("""
            WITH active AS (
              SELECT authority, activated_at AS since,
                     lead(activated_at) OVER (PARTITION BY hierarchy ORDER BY sequence) AS until
                FROM agentpki.activations)
            SELECT encode(i.serial, 'hex') AS serial, i.recorded_at, i.authority
              FROM agentpki.issuances AS i
             WHERE NOT EXISTS (
               SELECT FROM active AS a
                WHERE a.authority = i.authority AND a.since <= i.recorded_at + interval '2 s'
                  AND coalesce(a.until, 'infinity') >= i.recorded_at - interval '2 s')""")
        self.assertEqual(wrong, [])

    def assert_well(self, *all_credentials):
        """Each is good by OCSP on every server and by its CRLs, and all can talk with each other."""
        for credentials in all_credentials:
            for server in self.deployment.servers:
                self.assertEqual(credentials.status(server), "good")
            done = credentials.verify()
            self.assertEqual(done.returncode, 0, done.stderr)
            done = openssl.certtool_verify(credentials.folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for server in all_credentials:
            for client in all_credentials:
                talk(server, client)


class HandTest(RotationCase):
    options = {"durable": True, "status": {}}

    def test_under_load_nobody_notices(self):
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
            # The certificate of the one before renews, and is followed by one of the next.
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

    def test_a_list_shows_the_overlap(self):
        shown = self.deployment.cli("authority", "list", check=True).stdout
        self.assertRegex(shown, r"acme/test/issuing/1 +#")
        self.assertIn("# active", shown)
        self.assertEqual(self.deployment.cli("authority", "list", "--hierarchy", "acme/nothing")
                         .returncode, 1)

    def test_every_step_is_on_record(self):
        self.deployment.json("authority", "prepare", "agentpki/system")
        events = self.deployment.database.rows("""
            SELECT action, actor, decision FROM agentpki.audit_events
             WHERE subject LIKE 'agentpki/system/issuing/2%' ORDER BY sequence""")
        self.assertIn("PrepareAuthority", [event["action"] for event in events])
        self.assertIn("PlanAuthority", [event["action"] for event in events])
        self.assertTrue(all("/operator/" in event["actor"] for event in events), events)


class ScheduleTest(RotationCase):
    options = {"durable": True, "status": {},
               "hierarchy": HIERARCHY | {"issuing": {"rotate_every": f"{3 * PUBLISH_AHEAD_S}s",
                                                     "publish_ahead": f"{PUBLISH_AHEAD_S}s"}}}

    def test_goes_on_when_the_conductor_is_killed(self):
        with Load(self.deployment, "rotation/load", threads=2) as load:
            wait_until(lambda: self.states().get(2) == "published", "the successor is published",
                       3 * SOON_S)
            conductor = next(server for server in self.deployment.servers
                             if "conductor: this process" in server.log())
            if conductor is self.deployment.server:  # which the load and the operator talk to
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
        self.assert_well(self.enroll("rotation/scheduled"))


if __name__ == "__main__":
    unittest.main()

"""Rotation without a failure: issuing authorities, OCSP responders and the root are replaced and the
conductor is killed, while agents enroll, renew, talk over mTLS and check each other's status. Two servers
behind a balancer."""

import collections
import json
import random
import time
import unittest

import openssl
from clients import Load, Sidecar
from deployment import HIERARCHY, spiffe_id
from programs import PATIENCE_S, SANITIZE, wait_until
from relying_party import Credentials
from rotation import PUBLISH_AHEAD_S, SOON_S, RotationCase
from tls import current, talk
from traffic import Traffic

# An OCSP responder is replaced after half of its lifetime. It expires with its authority, which lives for
# at least a day. So the servers' clock begins half a day ago. Before the traffic starts it is set to the
# present, TO_HALF_LIFE_S before the half is over.
HALF_LIFE_S = 12 * 3600
BACKDATE_S = 60
TO_HALF_LIFE_S = 90 if SANITIZE else 40
# The schedule activates the second issuing authority a few seconds after that.
ROTATE_EVERY_S = HALF_LIFE_S - BACKDATE_S // 2 + 15

PAUSE_S = 0.05
COUNT_MIN = 5 if SANITIZE else 30  # of each kind of traffic
LOAD_COUNT_MIN = 50 if SANITIZE else 300
TRY_AGAIN = 75  # the CLI's exit status for a temporary failure


class Commands:
    """Runs CLI commands as scripts do: repeats a command after a temporary failure. Counts the
    repeats."""

    def __init__(self, deployment):
        self._deployment = deployment
        self.repeated_count = 0

    def run(self, *words):
        deadline = time.monotonic() + PATIENCE_S
        while (done := self._deployment.cli(*words)).returncode == TRY_AGAIN:
            if time.monotonic() > deadline:
                break
            self.repeated_count += 1
            time.sleep(0.1)
        if done.returncode != 0:
            raise AssertionError(f"agentpki {words} ended with {done.returncode}: {done.stderr}")
        return done.stdout


class Agent:
    """An agent of the whole test. It uses the credentials that look() read last."""

    def __init__(self, deployment, path):
        self.id = spiffe_id(path)
        self.folder = deployment.enroll(path)
        self.roots = None  # the sidecar's file of roots; None: the roots in the folder
        self.look()

    def look(self):
        holds = current(self.folder)
        holds.root = self.roots or holds.root
        self.holds = holds


class ProofTest(RotationCase):
    options = {
        "durable": True, "balanced": True,
        "shift_s": -HALF_LIFE_S + BACKDATE_S // 2 + TO_HALF_LIFE_S,
        "status": {"ocsp_lifetime": "24h"},
        "hierarchy": HIERARCHY | {
            "root": {"lifetime": "1d"},
            "issuing": {"lifetime": "1d", "rotate_every": f"{ROTATE_EVERY_S}s",
                        "publish_ahead": f"{PUBLISH_AHEAD_S}s"},
            "profiles": [{"name": "agent", "lifetime": "1h"}]}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        wait_until(lambda: len(cls.half_lives()) == 2, "each authority has its OCSP responder", SOON_S)
        for server in cls.deployment.servers:
            server.stop()
        begin = min(half for halves in cls.half_lives().values() for half in halves) - TO_HALF_LIFE_S
        cls.deployment.set_clock(int(begin - time.time()))
        for server in cls.deployment.servers:
            server.start()
        cls.deployment.balancer.start(cls.deployment.servers)

    @classmethod
    def half_lives(cls):
        """Returns the half-life times of the OCSP responders of each authority in acme/test, oldest
        first."""
        halves = collections.defaultdict(list)
        for row in cls.deployment.database.rows("""
                SELECT a.issuer, extract(epoch FROM i.not_before + (i.not_after - i.not_before) / 2)
                       AS half
                  FROM agentpki.authorities AS a
                  JOIN agentpki.authority_issuances AS i ON i.authority = a.id
                  JOIN agentpki.authority_signatures AS s ON s.authority = a.id
                 WHERE a.kind = 'responder' AND a.key_label LIKE 'acme/%' ORDER BY a.id"""):
            halves[row["issuer"]].append(row["half"])
        return halves

    # ---- traffic --------------------------------------------------------------------------------

    def setUp(self):
        self.commands = Commands(self.deployment)
        # The first agent renews and reads its roots, the second has a sidecar for its roots, and the
        # third never reads its credentials again.
        self.keen, self.served, self.idle = self.agents = [
            Agent(self.deployment, f"proof/{name}") for name in ["keen", "served", "idle"]]
        self.sidecar = Sidecar(self.deployment, self.served.folder)
        self.addCleanup(self.sidecar.close)
        wait_until(self.sidecar.roots, "the sidecar holds the roots", SOON_S)
        self.served.roots = self.sidecar.file
        self.served.look()
        self.deployment.register("proof/newcomer")
        self.newest = None
        self.enroll_newcomer()
        self.roots_of_issuers = {}

    def actions(self):
        return {"enroll": self.enroll_newcomer, "renew": self.renew, "handshake": self.handshake,
                "OCSP": self.ask_ocsp, "CRL": self.ask_crls, "list": self.count_active}

    def enroll_newcomer(self):
        token = self.deployment.new_folder().with_suffix(".token")
        token.touch(mode=0o600)
        token.write_text(self.commands.run("token", "create", "--agent", spiffe_id("proof/newcomer")))
        folder = self.deployment.new_folder()
        self.commands.run("cert", "enroll", "--token-file", token, "--out", folder)
        done = openssl.verify(folder)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        self.newest = Credentials(folder)

    def renew(self):
        self.commands.run("cert", "renew", self.keen.folder)
        self.keen.look()
        if random.random() < 0.1:
            self.commands.run("cert", "renew", self.served.folder)
            self.served.look()

    def handshake(self):
        server, client = random.sample(self.agents, 2)
        found = talk(server.holds, client.holds)
        if found != (client.id, server.id):
            raise AssertionError(f"{server.id} and {client.id} found {found}")

    def ask_ocsp(self):
        """Checks OCSP for a fresh certificate, with trust in all current roots and with trust in the
        first root only, and for its issuing authority."""
        asked = random.choice([self.newest, self.keen.holds])
        for root in [asked.root, self.idle.holds.root]:
            said = asked.ask("-CAfile", root, "-verify_other", asked.chain)
            if "Response verify OK" not in said or "leaf.pem: good" not in said:
                raise AssertionError(said)
        said = asked.ask("-url", asked.ocsp_url(asked.issuer),
                         which=["-issuer", self.root_of(asked), "-cert", asked.issuer])
        if "Response verify OK" not in said or "issuer.pem: good" not in said:
            raise AssertionError(said)

    def root_of(self, credentials):
        """Returns a file with the root that signed the issuing authority's certificate."""
        issuer = credentials.issuer.read_text()
        if issuer not in self.roots_of_issuers:
            name = openssl.openssl("x509", "-noout", "-issuer", input=issuer).split("=", 1)[1]
            (root,) = [pem for pem in openssl.certificates(credentials.root.read_text())
                       if openssl.openssl("x509", "-noout", "-subject", input=pem).split("=", 1)[1] == name]
            self.roots_of_issuers[issuer] = self.deployment.new_folder().with_suffix(".pem")
            self.roots_of_issuers[issuer].write_text(root)
        return self.roots_of_issuers[issuer]

    def ask_crls(self):
        done = self.newest.verify()
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def count_active(self):
        """Checks by the CLI that each hierarchy has exactly one active issuing authority."""
        active = collections.Counter(
            authority["hierarchy"] for authority in json.loads(self.commands.run("--output", "json", "authority", "list"))
            if authority["kind"] == "issuing" and authority["state"] == "active")
        if active != {"acme/test": 1, "agentpki/system": 1}:
            raise AssertionError(f"active issuing authorities: {active}")

    # ---- rotation -------------------------------------------------------------------------------

    def test_rotation_causes_no_failure(self):
        with Load(self.deployment, "proof/load", threads=2) as load, \
                Traffic(self.actions(), PAUSE_S) as traffic:
            load.wait_for_certificates(20)
            self.assertEqual([len(halves) for halves in self.half_lives().values()], [1, 1],
                             "the machine is too slow: raise TO_HALF_LIFE_S")
            self.assertEqual(self.states(), {1: "active"})

            # By schedule: the conductor prepares the next authority and is killed; another continues.
            wait_until(lambda: self.states().get(2) == "published", "the second is published",
                       TO_HALF_LIFE_S + SOON_S)
            self.assertEqual(self.repeated_count(load), 0)
            self.kill_conductor()
            wait_until(lambda: self.states().get(2) == "active", "the second is active",
                       PUBLISH_AHEAD_S + SOON_S)
            wait_until(lambda: [len(halves) for halves in self.half_lives().values()][:2] == [2, 2],
                       "the first OCSP responders are replaced", SOON_S)
            load.wait_for_certificates(20)

            # By hand, and then a root rollover.
            repeated_count = self.repeated_count(load)
            third = self.deployment.json("authority", "prepare", "acme/test")["name"]
            time.sleep(PUBLISH_AHEAD_S)
            self.deployment.json("authority", "activate", third)
            load.wait_for_certificates(20)
            self.roll_over("acme/test")
            load.wait_for_certificates(100)
            for name in self.actions():
                done_count = traffic.counts[name]
                wait_until(lambda: traffic.counts[name] >= done_count + 3, f"more of {name}")
            self.assertEqual(self.repeated_count(load), repeated_count)
            load.stop()
            traffic.stop()
        self.assert_no_failure(traffic, load)
        self.assert_all_that_was_issued_is_right()
        self.assert_root_was_followed()

    def repeated_count(self, load):
        """Returns the number of temporary failures, which are allowed only while a server is killed."""
        return load.repeated_count() + self.commands.repeated_count

    def kill_conductor(self):
        killed = self.deployment.conductor()
        (heir,) = [server for server in self.deployment.servers if server is not killed]
        killed.kill()
        wait_until(heir.is_conductor, "the other server is the conductor")
        killed.start()

    # ---- final checks ---------------------------------------------------------------------------

    def assert_no_failure(self, traffic, load):
        told = [f"{failure.at_s:.1f} s, {failure.action}: {failure.text}"
                for failure in traffic.failures]
        self.assertEqual(len(told), 0, "\n".join(told[:10]))
        load.check(self)
        counts = traffic.counts | collections.Counter(
            f"{attempt.method} by load" for attempt in load.issued())
        print(f"\n{self.id()}: {dict(counts)}; repeated: {self.repeated_count(load)}", flush=True)
        for name in self.actions():
            self.assertGreaterEqual(counts[name], COUNT_MIN, name)
        for name in ["Enroll by load", "Renew by load"]:
            self.assertGreaterEqual(counts[name], LOAD_COUNT_MIN, name)
        self.assertEqual(self.deployment.database.rows("""
            SELECT at, actor, action, decision, rule, reason FROM agentpki.audit_events
             WHERE decision <> 'allowed'"""), [])

    def assert_all_that_was_issued_is_right(self):
        self.assertEqual(set(self.generations()), {1, 2, 3, 4}, "each authority has issued")
        self.assert_never_two_issuers()
        self.assert_nothing_outlives_its_issuer()
        for report in self.deployment.json("status", "check"):
            self.assertEqual(report["discrepancies"], [])
        self.assertEqual(self.deployment.json("doctor")["findings"], [])

    def assert_root_was_followed(self):
        """Checks that an agent with only the first root talks with agents that hold both."""
        self.assertEqual(len(openssl.certificates(self.idle.holds.root.read_text())), 1)
        self.assertEqual(len(self.sidecar.roots()), 2)
        self.keen.look()
        self.assertEqual(len(openssl.certificates(self.keen.holds.root.read_text())), 2)
        self.assertEqual(len(openssl.certificates(self.keen.holds.chain.read_text())), 3)
        self.assert_well(self.keen.holds, self.served.holds, self.idle.holds)


if __name__ == "__main__":
    unittest.main()

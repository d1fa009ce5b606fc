"""The common part of the rotation tests: rollovers, and invariants that hold all the time."""

import time

import openssl
from deployment import DeploymentTest
from programs import SANITIZE
from relying_party import Credentials
from tls import talk

PUBLISH_AHEAD_S = 15  # the minimum
SOON_S = 120 if SANITIZE else 40


class RotationCase(DeploymentTest):
    """Two servers, and a database that keeps the time of each commit."""

    @classmethod
    def setUpClass(cls):
        cls.options = {"commit_times": True, "status": {}, **cls.options}
        super().setUpClass()
        cls.deployment.add_server().start()

    def states(self):
        """Returns the states of the issuing authorities of acme/test, by generation."""
        return {authority["generation"]: authority["state"]
                for authority in self.deployment.json("authority", "list", "--hierarchy", "acme/test")
                if authority["kind"] == "issuing"}

    def enroll(self, path):
        return Credentials(self.deployment.enroll(path))

    def generations(self):
        """Returns how many certificates each issuing authority of acme/test has issued."""
        return {row["generation"]: row["count"] for row in self.deployment.database.rows("""
            SELECT a.generation, count(*) FROM agentpki.issuances AS i
              JOIN agentpki.authorities AS a ON a.id = i.authority
              JOIN agentpki.hierarchies AS h ON h.id = i.hierarchy
             WHERE h.tenant = 'acme' GROUP BY a.generation""")}

    def roll_over(self, hierarchy):
        """Moves the hierarchy to a second root and an issuing authority below it."""
        root = self.deployment.json("authority", "prepare", hierarchy, "--root")
        self.assertEqual((root["kind"], root["generation"], root["state"]), ("root", 2, "published"))
        prepared = self.deployment.json("authority", "prepare", hierarchy)
        time.sleep(PUBLISH_AHEAD_S)
        self.deployment.json("authority", "activate", prepared["name"])

    def assert_never_two_issuers(self):
        """Checks that each certificate was recorded for the authority that was active at its commit. The
        comparison is exact, because an activation and a recording wait for each other's commit."""
        activations = """
            SELECT hierarchy, sequence, authority, pg_xact_commit_timestamp(xmin) AS since,
                   lead(pg_xact_commit_timestamp(xmin))
                     OVER (PARTITION BY hierarchy ORDER BY sequence) AS until
              FROM agentpki.activations"""
        self.assertEqual(self.deployment.database.rows(f"""
            WITH active AS ({activations})
            SELECT hierarchy, sequence FROM active WHERE since >= until
             UNION ALL
            SELECT hierarchy, max(sequence) FROM active
             GROUP BY hierarchy HAVING max(sequence) <> count(*)"""),
            [], "activations do not overlap and leave no gap")
        self.assertEqual(self.deployment.database.rows(f"""
            WITH active AS ({activations})
            SELECT encode(i.serial, 'hex') AS serial, i.recorded_at, i.authority
              FROM agentpki.issuances AS i
             WHERE NOT EXISTS (
               SELECT FROM active AS a
                WHERE a.hierarchy = i.hierarchy AND a.authority = i.authority
                  AND a.since < pg_xact_commit_timestamp(i.xmin)
                  AND coalesce(a.until, 'infinity') > pg_xact_commit_timestamp(i.xmin))"""),
            [], "only the active authority issues")

    def assert_nothing_outlives_its_issuer(self):
        self.assertEqual(self.deployment.database.rows("""
            WITH certificates AS (
              SELECT serial, authority AS issuer, not_before, not_after FROM agentpki.issuances
               UNION ALL
              SELECT i.serial, a.issuer, i.not_before, i.not_after
                FROM agentpki.authority_issuances AS i
                JOIN agentpki.authorities AS a ON a.id = i.authority AND a.issuer IS NOT NULL)
            SELECT encode(c.serial, 'hex') AS serial, c.issuer
              FROM certificates AS c
              LEFT JOIN agentpki.authority_issuances AS i ON i.authority = c.issuer
             WHERE (c.not_before >= i.not_before AND c.not_after <= i.not_after) IS NOT TRUE"""), [])

    def assert_well(self, *all_credentials):
        """Checks that OCSP on every server and the CRLs accept each, and that all talk with each other."""
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

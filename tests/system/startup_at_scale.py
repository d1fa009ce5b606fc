#!/usr/bin/env python3
"""Measures the time from the start of a server to its first answers, with a full ledger.

    AGENTPKI_BIN=build/release/bin tests/system/startup_at_scale.py [CERTIFICATES [REVOCATIONS]]

This is no test and not part of `tools/dev test`: it needs minutes, and a quiet machine. The rows are
copies of one real certificate, with random serials and the to-be-signed part cut to 64 octets, which a
start does not read.
"""

import sys
import time
import urllib.request

import openssl
from deployment import Deployment
from programs import wait_until

BATCH = 500_000


def fill(database, serial, certificates, revocations):
    new_serial = "substring(serial FOR 4) || decode(md5(random()::text || n), 'hex')"
    copied = 0
    while copied < certificates:
        count = min(BATCH, certificates - copied)
        copied += count
        database.execute(f"""
            CREATE UNLOGGED TABLE agentpki.copies AS
              SELECT {new_serial} AS new_serial, i.*
                FROM agentpki.issuances AS i, generate_series(1, {count}) AS n
               WHERE serial = '\\x{serial}';
            INSERT INTO agentpki.issuances
              SELECT expiry_day, new_serial, hierarchy, authority, shard, agent, subject, profile,
                     key_fingerprint, not_before, not_after, substring(tbs FOR 64), recorded_at
                FROM agentpki.copies;
            INSERT INTO agentpki.signatures
              SELECT expiry_day, new_serial, hierarchy, agent, '\\x00', recorded_at
                FROM agentpki.copies;
            INSERT INTO agentpki.revocations
              SELECT expiry_day, new_serial, hierarchy, authority, shard, not_after, now(), 4, NULL,
                     'scale'
                FROM agentpki.copies LIMIT {min(count, revocations)};
            DROP TABLE agentpki.copies""")
        revocations -= min(count, revocations)
        print(f"  {copied:,} certificates", flush=True)
    database.execute("ANALYZE")


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def main(certificates=10_000_000, revocations=100_000):
    with Deployment(status={}) as deployment:
        folder = deployment.enroll("scale/bot")
        serial = openssl.serial(folder / "cert.pem")
        server = deployment.server
        server.restart()
        empty_mib = resident_mib(server.process.pid)
        server.stop()
        fill(deployment.database, serial, certificates, revocations)

        begin = time.monotonic()
        server.start()
        serving = time.monotonic() - begin
        print(f"{certificates:,} certificates, {revocations:,} revocations")
        print(f"from start to serving gRPC      {serving:6.2f} s")
        shard = deployment.database.value(
            f"SELECT authority || '/' || shard FROM agentpki.issuances WHERE serial = '\\x{serial}'")
        url = f"{deployment.status_url}/crl/{shard}.crl"

        def crl_size():
            try:
                with urllib.request.urlopen(url) as answer:
                    return len(answer.read())
            except OSError:
                return 0

        wait_until(lambda: crl_size() > 30 * revocations, "the CRL lists them", seconds=120)
        print(f"from start to the CRL of them   {time.monotonic() - begin:6.2f} s"
              f" ({crl_size():,} octets)")
        per_revocation = (resident_mib(server.process.pid) - empty_mib) * 1024 * 1024 / revocations
        print(f"memory for each revocation      {per_revocation:6.0f} octets,"
              " CRL and its encoding included")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

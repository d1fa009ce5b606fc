#!/usr/bin/env python3
"""Plants each kind of violation in a small tree and expects it to be found; then reads our own."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import check_layers

LEGAL = {
    "CMakeLists.txt": "",
    "README.md": "",
    ".gitignore": "",
    "proto/agentpki/v1/agentpki.proto": "",
    "ca/base/result.h": "#include <absl/status/statusor.h>\n",
    "ca/base/clock.h": '#include "ca/base/result.h"\n',
    "ca/ports/ledger.h": '#include "ca/base/result.h"\n',
    "ca/certificates/enrollment.cc": '#include <openssl/x509.h>\n#include "ca/ports/ledger.h"\n',
    "hsm/token.cc": '#include <libp11.h>\n#include <p11-kit/pkcs11.h>\n#include "ca/issuance/authority.h"\n',
    "db/postgres_ledger.cc": '#include <pqxx/pqxx>\n#include "ca/ports/ledger.h"\n#include "ca/base/clock.h"\n',
    "crl/crl.h": '#include "ca/base/clock.h"\n',
    "ocsp/responder.h": '#include "ca/ports/ledger.h"\n',
    "audit/log.h": '#include "ca/ports/ledger.h"\n',
    "ca/server/run/main.cc": '#include <grpcpp/grpcpp.h>\n#include <spdlog/spdlog.h>\n'
                         '#include <boost/asio.hpp>\n#include "ca/files/yaml_message.h"\n'
                         '#include "agentpki/v1/agentpki.pb.h"\n#include "hsm/token.h"\n'
                         '#include "db/postgres_ledger.h"\n#include "ca/server/rpc/handle.h"\n',
    "ca/server/rpc/handle.h": '#include "proto/agentpki/v1/agentpki.grpc.pb.h"\n',
    "ca/files/yaml_message.cc": '#include <yaml-cpp/yaml.h>\n#include <google/protobuf/message.h>\n'
                                '#include "ca/model/hierarchy.h"\n#include "agentpki/v1/agentpki.pb.h"\n',
    "ca/ceremony/transcript.h": '#include "ca/ports/ledger.h"\n#include "ca/base/clock.h"\n',
    "tools/agentpki-ceremony/main.cc": '#include "hsm/token.h"\n#include "crl/crl.h"\n'
                                       '#include "ca/ceremony/transcript.h"\n'
                                       '#include "tools/client/output.h"\n',
    "tools/agentpki/main.cc": '#include <google/protobuf/util/json_util.h>\n#include "ca/ports/ledger.h"\n'
                              '#include "agentpki/v1/agentpki.pb.h"\n#include "tools/agentpki/cert.h"\n',
    "tests/ca/server/main_test.cc": '#include <pqxx/pqxx>\n#include <libp11.h>\n#include "hsm/token.h"\n'
                                    '#include "db/postgres_ledger.h"\n#include "tests/fakes/clock.h"\n',
    "tests/fakes/clock.h": '#include "ca/base/clock.h"\n',
}

# Each planted include, its file, and the words that the finding must have.
VIOLATIONS = [
    ("ca/base/x.h", '"ca/ports/ledger.h"', "ca/base may include itself only"),
    ("ca/base/x.h", "<spdlog/spdlog.h>", "spdlog stays in ca/server"),
    ("ca/base/x.h", '"agentpki/v1/agentpki.pb.h"', "generated .pb.h files stay in ca/files, ca/server/rpc"),
    # upward arrows, one for each room
    ("ca/x509/x.h", '"ca/model/hierarchy.h"', "ca/x509 may include ca/base only"),
    ("ca/model/x.h", '"ca/issuance/authority.h"', "ca/model may include ca/x509, ca/base only"),
    ("ca/issuance/x.h", '"ca/ports/ledger.h"', "ca/issuance may include"),
    ("ca/ports/x.h", '"ca/catalog/catalog.h"', "ca/ports may include"),
    ("ca/catalog/x.h", '"ca/access/caller.h"', "ca/catalog may include"),
    ("ca/access/x.h", '"ca/certificates/enrollment.h"', "ca/access may include"),
    ("ca/certificates/x.h", '"ca/hierarchies/hierarchies.h"', "ca/certificates may include"),
    ("ca/hierarchies/x.h", '"ca/files/yaml_message.h"', "ca/hierarchies may include"),
    ("ca/files/x.cc", '"ca/server/run/server.h"', "ca/files may include"),
    ("ca/ceremony/x.h", '"ca/catalog/catalog.h"', "ca/ceremony may include"),
    # siblings
    ("ca/certificates/x.h", '"ca/authorities/rotation.h"', "ca/certificates may include"),
    ("ca/authorities/x.h", '"ca/certificates/enrollment.h"', "ca/authorities may include"),
    ("ca/catalog/x.h", '"ca/ceremony/transcript.h"', "ca/catalog may include"),
    ("ca/server/rpc/x.h", '"hsm/token.h"', "ca/server/rpc may include"),
    ("hsm/x.cc", '"db/postgres_ledger.h"', "hsm may include"),
    ("db/x.cc", '"hsm/token.h"', "db may include"),
    ("crl/x.cc", '"ocsp/responder.h"', "crl may include"),
    ("ocsp/x.cc", '"crl/crl.h"', "ocsp may include"),
    ("audit/x.cc", '"db/postgres_ledger.h"', "audit may include"),
    ("token/x.cc", '"ocsp/responder.h"', "token may include"),
    # out of ca/
    ("ca/ports/x.h", '"db/postgres_ledger.h"', "ca/ports may include"),
    ("ca/issuance/x.h", "<hsm/token.h>", "ca/issuance may include"),
    ("ca/catalog/x.h", '"../../ocsp/responder.h"', "ca/catalog may include"),
    ("ca/access/x.h", '"ca/server/rpc/handle.h"', "ca/access may include"),
    ("ca/access/x.h", '"../server/rpc/handle.h"', "ca/access may include"),
    ("ca/ports/x.h", '"proto/agentpki/v1/agentpki.pb.h"', "generated .pb.h files stay in"),
    ("ca/ports/x.h", "<google/protobuf/timestamp.pb.h>", "Protocol Buffers stays in ca/files and ca/server/rpc"),
    ("ca/ports/x.h", '"tests/fakes/clock.h"', "nothing outside tests may include tests"),
    ("ca/model/deep/er/x.h", '"tools/agentpki/cert.h"', "ca/model may include"),
    ("db/x.cc", '"ca/server/rpc/handle.h"', "db may include"),
    ("db/x.cc", '"ca/catalog/catalog.h"', "db may include"),
    ("hsm/x.cc", '"ca/ports/ledger.h"', "hsm may include"),
    ("ocsp/x.cc", '"ca/access/caller.h"', "ocsp may include"),
    # rooms of the server
    ("ca/server/http/x.h", '"ca/model/hierarchy.h"', "ca/server/http may include ca/base only"),
    ("ca/server/telemetry/x.h", '"ca/server/status/site.h"', "ca/server/telemetry may include"),
    ("ca/server/status/x.h", '"ca/server/upkeep/conductor.h"', "ca/server/status may include"),
    ("ca/server/upkeep/x.h", '"ca/server/rpc/handle.h"', "ca/server/upkeep may include"),
    ("ca/server/rpc/x.h", '"ca/server/run/server.h"', "ca/server/rpc may include"),
    ("ca/server/run/x.h", '"ca/ceremony/../../tools/agentpki/cert.h"', "ca/server/run may include"),
    # libraries
    ("ca/server/http/x.cc", "<grpcpp/grpcpp.h>", "gRPC stays in ca/server/rpc and ca/server/run"),
    ("ca/server/rpc/x.cc", "<prometheus/counter.h>", "prometheus-cpp stays in ca/server/telemetry"),
    ("ca/server/run/x.cc", "<yaml-cpp/yaml.h>", "yaml-cpp stays in ca/files"),
    ("db/x.cc", '"agentpki/v1/agentpki.grpc.pb.h"', "generated .pb.h files stay in"),
    ("crl/x.cc", "<grpcpp/grpcpp.h>", "gRPC stays in"),
    ("audit/x.cc", "<pqxx/pqxx>", "PostgreSQL stays in db"),
    ("ca/server/run/x.cc", "<libpq-fe.h>", "PostgreSQL stays in db"),
    ("ca/server/run/x.cc", "<libp11.h>", "PKCS#11 stays in hsm"),
    ("ca/server/run/x.cc", "<p11-kit-1/p11-kit/pkcs11.h>", "PKCS#11 stays in hsm"),
    ("ocsp/x.cc", "<boost/beast.hpp>", "Boost stays in"),
    # tools
    ("tools/agentpki-bench/x.cc", '"db/postgres_ledger.h"', "tools/agentpki-bench may include"),
    ("tools/agentpki-bench/x.cc", '"hsm/token.h"', "tools/agentpki-bench may include"),
    ("tools/agentpki/x.cc", '"tools/agentpki-bench/latency.h"', "tools/agentpki may include"),
    ("tools/client/x.cc", '"tools/agentpki/cert.h"', "tools/client may include"),
    ("tools/agentpki-ceremony/x.cc", "<grpcpp/grpcpp.h>", "gRPC stays in"),
    ("tools/agentpki-ceremony/x.cc", '"db/postgres_ledger.h"', "tools/agentpki-ceremony may include"),
    ("tools/agentpki-bench/x.cc", '"tests/fakes/clock.h"', "nothing outside tests may include tests"),
]


class CheckLayersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path, text in LEGAL.items():
            self.write(path, text)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(self):
        return list(check_layers.violations(self.root))

    def test_a_legal_tree_passes(self):
        self.assertEqual(self.found(), [])

    def test_each_planted_violation_is_found_at_its_line(self):
        for path, include, why in VIOLATIONS:
            with self.subTest(path=path, include=include):
                self.write(path, f"#pragma once\n\n#  include {include}  // planted\n")
                self.assertEqual(len(self.found()), 1, self.found())
                self.assertTrue(self.found()[0].startswith(f"{path}:3: {path} includes {include[1:-1]}: {why}"),
                                self.found()[0])
                (self.root / path).unlink()

    def test_an_include_beside_the_file_is_seen_as_what_it_is(self):
        self.write("ca/server/rpc/x.cc", '#include "own.h"\n')
        self.write("ca/server/rpc/own.h", "")
        self.write("hsm/db/row.h", "")
        self.write("hsm/x.cc", '#include "db/row.h"\n')  # hsm/db/row.h, not db/row.h
        self.assertEqual(self.found(), [])

    def test_text_about_an_include_is_not_an_include(self):
        self.write("ca/ports/x.h", '// #include "db/postgres_ledger.h"\nconst char* s = "#include <pqxx/pqxx>";\n')
        self.assertEqual(self.found(), [])

    def test_a_new_top_level_folder_is_refused(self):
        self.write("common/util.h", "")
        self.assertIn("common:1: a new name at the top level", self.found()[0])

    def test_in_git_only_what_is_tracked_or_would_be_added_counts(self):
        subprocess.run(["git", "init", "--quiet", str(self.root)], check=True)
        self.write(".gitignore", "/build/\n")
        self.write("build/release/x.h", "")
        self.assertEqual(self.found(), [])
        self.write("ca/ports/x.h", '#include "db/postgres_ledger.h"\n')
        self.assertEqual(len(self.found()), 1)

    def test_a_file_outside_of_every_room_is_refused(self):
        self.write("ca/util.h", "")
        self.assertIn("ca/util.h is in no room", self.found()[0])

    def test_a_header_and_its_source_count_together_in_a_circle(self):
        self.write("ocsp/cache.h", "")
        self.write("ocsp/cache.cc", '#include "ocsp/cache.h"\n#include "ocsp/responder.h"\n')
        self.write("ocsp/responder.cc", '#include "ocsp/cache.h"\n')
        self.assertEqual(len(self.found()), 1, self.found())
        self.assertIn("a circle: ocsp/cache -> ocsp/responder -> ocsp/cache", self.found()[0])

    def test_the_table_of_rooms_has_no_circle(self):
        for name, below in check_layers.MAY_INCLUDE.items():
            self.assertNotIn(name, below)
            for other in below:
                self.assertNotIn(name, check_layers.MAY_INCLUDE[other])

    def test_our_own_tree_follows_the_arrows(self):
        own = Path(__file__).resolve().parents[2]
        self.assertEqual(list(check_layers.violations(own)), [])


if __name__ == "__main__":
    unittest.main()

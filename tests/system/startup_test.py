"""A server that cannot start says why, soon, and with the right exit status."""

import json
import re
import time
import unittest

import openssl
from deployment import HSM_MODULE, Deployment
from programs import PATIENCE_S, SANITIZE, SERVER, run, spawn

REFUSED, TRY_AGAIN = 1, 75
SECONDS_MAX = 60 if SANITIZE else 20


class StartupTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.addClassCleanup(cls.deployment.close)
        cls.deployment.prepare()
        cls.server = cls.deployment.server

    def config(self, **changes):
        """Writes the good configuration with other sections to a file; returns the file."""
        file = self.deployment.folder / f"{self.id().split('.')[-1]}.yaml"
        file.write_text(json.dumps(self.deployment.config(self.server) | changes, indent=2))
        return file

    def database(self, name):
        return {"database": {"server": self.deployment.database.conninfo("agentpki_server", name),
                             "owner": self.deployment.database.conninfo("agentpki_owner", name)}}

    def hsm(self, **changes):
        return {"hsm": self.deployment.config(self.server)["hsm"] | changes}

    def assert_fails(self, code, *texts, verb="run", words=(), config_file=None, **options):
        """Checks that the server exits in time with `code`, that its last line holds `texts`, and that
        it never served."""
        begin = time.monotonic()
        done = self.deployment.run_server(verb, *words, config_file=config_file,
                                          timeout=SECONDS_MAX, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        last = done.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("agentpki-server: "), done.stderr)
        for text in texts:
            self.assertIn(text, last)
        self.assertNotIn("serves", done.stderr)
        return time.monotonic() - begin

    # ---- the configuration ----------------------------------------------------------------------

    def test_an_unknown_key_is_named_with_file_line_and_nearest_key(self):
        config = self.config(listenn={"grpc": "127.0.0.1:1"})
        line = 1 + config.read_text().splitlines().index('  "listenn": {')
        self.assert_fails(REFUSED, f"{config}:{line}: listenn: ", "is it 'listen'?",
                          config_file=config)

    def test_an_unknown_key_in_a_section_is_named_as_well(self):
        config = self.config(**self.hsm(pin="1234"))
        line = 1 + config.read_text().splitlines().index('    "pin": "1234"')
        self.assert_fails(REFUSED, f"{config}:{line}: hsm: pin: ", config_file=config)

    def test_invalid_yaml_is_named_with_file_and_line(self):
        config = self.config()
        config.write_text("listen:\n  grpc: [\n")
        self.assert_fails(REFUSED, f"{config}:", "not YAML", config_file=config)

    def test_a_missing_file_is_named(self):
        self.assert_fails(REFUSED, "/none/server.yaml", "No such file",
                          config_file="/none/server.yaml")

    def test_a_password_in_the_configuration_is_refused_and_not_echoed(self):
        config = self.config(database={"server": "host=/run dbname=x password=hunter2"})
        self.assert_fails(REFUSED, "database: server", "passfile", config_file=config)
        self.assertNotIn("hunter2", self.deployment.run_server(
            "run", config_file=config).stderr)

    def test_a_bad_hierarchy_file_is_named_with_line_and_fix(self):
        file = self.deployment.folder / "bad-hierarchy.yaml"
        for text, *said in [
                ("tenant: acme\nenvironment: test\ntrust_domian: a.example\n",
                 f"{file}:3: trust_domian: ", "is it 'trust_domain'?"),
                ("tenant: acme\nenvironment: test\ntrust_domain: UPPER\n", f"{file}: trust_domain"),
                ("tenant: acme\nenvironment: test\ntrust_domain: a.example\nprofiles:\n"
                 "  - name: agent\n    lifetime: 8d\n", f"{file}: ", "lifetime", "7d"),
                ("tenant: acme\nenvironment: test\ntrust_domain: a.example\nprofiles:\n"
                 "  - name: agent\n    lifetime: forever\n", f"{file}:6: ", "lifetime"),
                ("tenant: acme\nenvironment: test\ntrust_domain: a.example\n",
                 f"{file}: ", "profiles")]:
            with self.subTest(said):
                file.write_text(text)
                self.assert_fails(REFUSED, *said, verb="init", words=["--hierarchy", file])

    def test_init_does_not_change_an_existing_hierarchy(self):
        file = self.deployment.folder / "changed-hierarchy.yaml"
        changed = json.loads((self.deployment.folder / "hierarchy.yaml").read_text())
        changed["dns_subtrees"] = ["evil.example"]
        file.write_text(json.dumps(changed))
        self.assert_fails(REFUSED, "acme/test", "dns_subtrees", verb="init",
                          words=["--hierarchy", file])

    def test_a_runtime_directory_that_others_can_enter_is_refused(self):
        folder = self.deployment.folder / "open"
        folder.mkdir()
        folder.chmod(0o755)
        self.assert_fails(REFUSED, "runtime_directory", "chmod 700",
                          config_file=self.config(runtime_directory=str(folder)))

    # ---- init -----------------------------------------------------------------------------------

    def init_words(self, operator):
        return ["init", "--hierarchy", self.deployment.folder / "hierarchy.yaml",
                "--operator-out", operator]

    def test_init_can_be_repeated(self):
        count = "SELECT count(*) FROM agentpki.issuances"
        before = self.deployment.database.value(count)
        verb, *words = self.init_words(self.deployment.operator)
        self.deployment.run_server(verb, *words, check=True)
        self.assertEqual(self.deployment.database.value(count), before)

    def test_init_issues_new_credentials_to_a_locked_out_operator(self):
        verb, *words = self.init_words(self.deployment.folder / "locked-out")
        self.deployment.run_server(verb, *words, check=True)
        self.server.start()
        self.addCleanup(self.server.stop)
        done = self.deployment.cli("status", identity=self.deployment.folder / "locked-out")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_concurrent_inits_succeed(self):
        self.deployment.database.create_database("begun")
        config = self.config(**self.database("begun"))
        self.deployment.run_server("migrate", config_file=config, check=True)
        keys_before = self.key_labels()
        self.run_at_once(*([*self.init_words(self.deployment.folder / f"operator-{i}"),
                            "--config", config] for i in range(4)))
        authorities = json.loads(self.deployment.database.execute("""
            SELECT json_agg(a.key_label) FROM agentpki.authorities AS a
              JOIN agentpki.authority_signatures AS s ON s.authority = a.id""", "begun"))
        self.assertEqual(len(authorities), 4, "a root and an issuing one, of two hierarchies")
        self.assertEqual(self.key_labels(), sorted(keys_before + authorities))
        certificates = {openssl.openssl("x509", "-in", self.deployment.folder / f"operator-{i}" /
                                        "bundle.pem", "-noout", "-fingerprint") for i in range(4)}
        self.assertEqual(len(certificates), 1, "one root for all")

    def key_labels(self):
        """Returns the labels of all private keys on the token."""
        listed = run("pkcs11-tool", "--module", HSM_MODULE, "--token-label", "agentpki", "--login",
                     "--pin", (self.deployment.folder / "pin").read_text(),
                     "--list-objects", "--type", "privkey",
                     env=self.deployment.server_environment(), check=True).stdout
        return sorted(re.findall(r"label: +(\S+)", listed))

    def run_at_once(self, *commands):
        """Runs several agentpki-server commands at once; all must succeed."""
        if len(commands) == 1:
            commands *= 4
        processes = [spawn(SERVER, *words, env=self.deployment.server_environment())
                     for words in commands]
        ends = [(*process.communicate(timeout=PATIENCE_S), process.returncode)
                for process in processes]
        self.assertEqual([code for _, _, code in ends], [0] * len(commands), ends)

    # ---- the token ------------------------------------------------------------------------------

    def test_a_wrong_pin_is_named(self):
        pin = self.deployment.folder / "wrong-pin"
        pin.touch(mode=0o600)
        pin.write_text("0000")
        self.assert_fails(REFUSED, "hsm: ", "PIN",
                          config_file=self.config(**self.hsm(pin_file=str(pin))))

    def test_a_pin_file_that_others_can_read_is_refused(self):
        pin = self.deployment.folder / "open-pin"
        pin.write_text("0000")
        pin.chmod(0o644)
        self.assert_fails(REFUSED, "hsm: ", str(pin), "chmod 600",
                          config_file=self.config(**self.hsm(pin_file=str(pin))))

    def test_a_missing_token_folder_is_named(self):
        tokens = self.deployment.token_folder
        tokens.rename(tokens.with_name("elsewhere"))
        self.addCleanup(tokens.with_name("elsewhere").rename, tokens)
        self.assert_fails(REFUSED, "hsm: ", "SOFTHSM2_CONF")

    def test_a_missing_token_is_named(self):
        self.assert_fails(TRY_AGAIN, "hsm: ", "'nobody'",
                          config_file=self.config(**self.hsm(token_label="nobody")))

    def test_a_token_without_the_keys_is_named_with_the_key(self):
        run("softhsm2-util", "--init-token", "--free", "--label", "empty", "--so-pin", "12345678",
            "--pin", (self.deployment.folder / "pin").read_text(),
            env=self.deployment.server_environment(), check=True)
        self.assert_fails(REFUSED, "'empty'", "key 'agentpki/system/root/1",
                          config_file=self.config(**self.hsm(token_label="empty")))

    def test_a_missing_module_is_named(self):
        self.assert_fails(REFUSED, "hsm: ", "/none/libnone.so", "check the path",
                          config_file=self.config(**self.hsm(module="/none/libnone.so")))

    def test_a_library_that_is_not_a_module_is_named(self):
        self.assert_fails(REFUSED, "hsm: ", "libz.so.1", "not a PKCS#11 module",
                          config_file=self.config(**self.hsm(module="libz.so.1")))

    # ---- the database ---------------------------------------------------------------------------

    def test_a_stopped_database_is_reported_as_temporary(self):
        config = self.config(database={"server": "host=/none dbname=agentpki user=nobody"})
        self.assert_fails(TRY_AGAIN, "database", config_file=config)

    def test_a_database_that_stops_is_reported_as_temporary_and_recovers(self):
        self.deployment.database.kill()
        try:
            self.assert_fails(TRY_AGAIN, "database")
        finally:
            self.deployment.database.start()
        self.server.start()
        self.assertEqual(self.deployment.cli("status").returncode, 0)
        self.assertEqual(self.server.stop(), 0)

    def test_a_hanging_database_is_reported_as_temporary(self):
        with self.deployment.database.frozen():
            self.assert_fails(TRY_AGAIN, "database")

    def test_a_missing_schema_is_named_with_the_command_to_run(self):
        self.deployment.database.create_database("empty")
        self.assert_fails(REFUSED, "no schema yet", "agentpki-server migrate",
                          config_file=self.config(**self.database("empty")))

    def test_a_newer_schema_is_refused_by_run_and_by_migrate(self):
        self.deployment.database.create_database("newer")
        config = self.config(**self.database("newer"))
        self.deployment.run_server("migrate", config_file=config, check=True)
        self.deployment.database.execute(
            "INSERT INTO agentpki_migrations (name, sha256) VALUES ('9999_future.sql', '00')",
            "newer")
        for verb in ["run", "migrate", "init"]:
            with self.subTest(verb):
                self.assert_fails(REFUSED, "newer than this program", "9999_future.sql",
                                  verb=verb, config_file=config)

    def test_repeated_and_concurrent_migrations_succeed(self):
        self.deployment.database.create_database("racing")
        config = self.config(**self.database("racing"))
        self.run_at_once(["migrate", "--config", config])
        done = self.deployment.run_server("migrate", config_file=config, check=True)
        self.assertIn("up to date", done.stdout)

    def test_a_deployment_that_was_never_initialised_is_named(self):
        self.deployment.database.create_database("migrated")
        config = self.config(**self.database("migrated"))
        self.deployment.run_server("migrate", config_file=config, check=True)
        self.assert_fails(REFUSED, "agentpki-server init", config_file=config)


if __name__ == "__main__":
    unittest.main()

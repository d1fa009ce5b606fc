"""One agentpki deployment for a test: a database, a token, servers, and the command line."""

import contextlib
import json
import re
import secrets
import signal
import struct
import subprocess
import unittest

import openssl
from balancer import Balancer
from database import Database
from programs import (CLI, PATIENCE_S, SANITIZER_REPORTS, SERVER, SHIFTED_CLOCK, TemporaryFolder,
                      environment, free_port, kill, run, spawn, wait_until)

HSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"
TRUST_DOMAIN = "test.acme.example"
SYSTEM_TRUST_DOMAIN = "system.agentpki.internal"

# No change needs an approval, because most tests have only one operator.
ALONE = {"root_rotation": False, "destruction": False, "policy_widening": False,
         "authority_revocation": False}

# JSON is YAML, so the tests write YAML files as JSON.
HIERARCHY = {
    "tenant": "acme",
    "environment": "test",
    "trust_domain": TRUST_DOMAIN,
    "dns_subtrees": ["svc.acme.example"],
    "ip_ranges": ["192.0.2.0/24"],
    "profiles": [
        {"name": "agent", "lifetime": "1h"},
        {"name": "edge", "key_types": ["ed25519"]},
        {"name": "legacy", "key_types": ["rsa2048", "rsa3072"]},
        {"name": "service", "host_names": True},
        {"name": "brief", "lifetime": "5m"},
    ],
    "approvals": ALONE,
}


def spiffe_id(path):
    return f"spiffe://{TRUST_DOMAIN}/{path}"


class Server:
    """Consecutive agentpki-server processes with one configuration."""

    def __init__(self, deployment, name):
        self._deployment = deployment
        self.folder = deployment.folder / name
        self.folder.mkdir()
        (self.folder / "run").mkdir(mode=0o700)
        self.address = f"127.0.0.1:{free_port()}"
        self.http_address = f"127.0.0.1:{free_port()}"
        self.config_file = self.folder / "server.yaml"
        self.log_file = self.folder / "log"
        self.process = None
        self._log_before = 0  # the length of the log at the last start
        self.write_config(deployment.config(self))

    def write_config(self, config):
        self.config_file.write_text(json.dumps(config, indent=2))

    def start(self):
        """Starts it, and returns once it serves."""
        self._log_before = len(self.log())
        with self.log_file.open("a") as log:
            self.process = spawn(SERVER, "run", "--config", self.config_file,
                                 stdout=log, stderr=log, env=self._deployment.server_environment())
        wait_until(lambda: "serves gRPC" in self.log_since_start() or self._has_ended(),
                   "the server serves")
        if self._has_ended():
            raise AssertionError(f"the server ended with {self.process.returncode}:\n"
                                 f"{self.log_since_start()}")

    def begin_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Stops it by SIGTERM. Returns the exit status."""
        self.begin_to_stop()
        return self.process.wait(PATIENCE_S)

    def kill(self):
        kill(self.process)

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        """Stops it for good, in any state."""
        if self.process and not self._has_ended():
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server does not stop:\n{self.log()}") from None

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_since_start(self):
        return self.log()[self._log_before:]

    def is_conductor(self):
        """Returns whether this server is the conductor, which rotates and publishes."""
        said = re.findall(r"conductor: (this process|no more)", self.log_since_start())
        return not self._has_ended() and said[-1:] == ["this process"]

    def _has_ended(self):
        return self.process.poll() is not None


class Deployment:
    """A context manager with a migrated, initialised deployment and one running server.

    durable        the database survives the kill of its processes
    shift_s        initial shift of the servers' clock; set_clock() changes it while they run
    status         the configuration's `status`, except for the URL: every server serves OCSP and CRLs,
                   and certificates point to the first server
    balanced       clients and certificates use `balancer` instead; start it after the last add_server()
    commit_times   the database keeps the time of each row's commit
    tenant_tokens  tenants with a dedicated token, each with its own PIN
    """

    def __init__(self, durable=False, shift_s=None, hierarchy=None, status=None, balanced=False,
                 commit_times=False, tenant_tokens=()):
        self._temporary = TemporaryFolder()
        self.folder = self._temporary.path
        self.database = Database(self.folder / "postgres", durable, commit_times)
        self._hierarchy = hierarchy or HIERARCHY
        self._status = status
        self.balancer = Balancer(self.folder) if balanced else None
        self.tenant_tokens = tenant_tokens
        self._clock_file = None
        if shift_s is not None:
            self._clock_file = self.folder / "clock"
            self.set_clock(shift_s)
        self.operator = self.folder / "operator"
        self.servers = []
        self._token_folders = {}  # SoftHSM's folders, by token label

    def __enter__(self):
        try:
            self.prepare()
            self.server.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def prepare(self):
        """Makes everything except a running server."""
        self.database.create()
        self._make_tokens()
        self.add_server()
        self.run_server("migrate", check=True)
        hierarchy = self.folder / "hierarchy.yaml"
        hierarchy.write_text(json.dumps(self._hierarchy))
        self.run_server("init", "--hierarchy", hierarchy, "--operator-out", self.operator,
                        check=True)

    def close(self):
        """Stops and removes everything. Fails if a server's log has a report of a sanitizer."""
        try:
            for server in self.servers:
                server.close()
        finally:
            if self.balancer:
                self.balancer.close()
            logs = "".join(server.log() for server in self.servers)
            self._temporary.close()
        if any(report in logs for report in SANITIZER_REPORTS):
            raise AssertionError(f"a server's log has a sanitizer report:\n{logs[-50_000:]}")

    # ---- servers --------------------------------------------------------------------------------

    def conductor(self):
        """Returns the server that is the conductor, which rotates and publishes."""
        def find():
            return [server for server in self.servers if server.is_conductor()]

        (server,) = wait_until(find, "one server is the conductor")
        return server

    @property
    def server(self):
        return self.servers[0]

    def add_server(self):
        """Adds a replica on the same database and token. The caller starts it."""
        server = Server(self, f"server-{len(self.servers) + 1}")
        self.servers.append(server)
        return server

    def config(self, server):
        """Returns a server's configuration, as the structure of its YAML."""
        config = {
            "listen": {"grpc": server.address},
            "advertise": self.balancer.address if self.balancer else server.address,
            "server_names": ["localhost", "127.0.0.1"],
            "runtime_directory": str(server.folder / "run"),
            "database": {
                "server": self.database.conninfo("agentpki_server"),
                "owner": self.database.conninfo("agentpki_owner"),
            },
            "hsm": {"module": HSM_MODULE, "token_label": "agentpki",
                    "pin_file": str(self.folder / "pin"),
                    "tokens": [{"token_label": f"hsm-{tenant}", "tenants": [tenant],
                                "pin_file": str(self.folder / f"pin-{tenant}")}
                               for tenant in self.tenant_tokens]},
            "system": {"trust_domain": SYSTEM_TRUST_DOMAIN, "approvals": ALONE},
        }
        if self._status is not None:
            config["listen"]["http"] = server.http_address
            config["status"] = {"url": self.status_url or f"http://{server.http_address}",
                                **self._status}
        return config

    @property
    def status_url(self):
        """The URL that certificates carry for OCSP and CRLs."""
        if self.balancer:
            return f"http://{self.balancer.http_address}"
        return f"http://{self.server.http_address}" if self.servers else ""

    def run_server(self, verb, *words, config_file=None, **options):
        """Runs a command of agentpki-server that ends by itself."""
        options = {"env": self.server_environment(), **options}
        return run(SERVER, verb, "--config", config_file or self.server.config_file, *words,
                   **options)

    def server_environment(self):
        changes = {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}
        if self._clock_file:
            changes |= {"LD_PRELOAD": str(SHIFTED_CLOCK), "SHIFTED_CLOCK": str(self._clock_file)}
        return environment(is_server=True, **changes)

    def set_clock(self, shift_s):
        """Sets the servers' clock to this many seconds ahead of the real time."""
        with self._clock_file.open("r+b" if self._clock_file.exists() else "wb") as file:
            file.write(struct.pack("@q", shift_s))

    # ---- tokens ---------------------------------------------------------------------------------

    @property
    def token_folder(self):
        return self.folder / "tokens"

    def _make_tokens(self):
        self.token_folder.mkdir(mode=0o700)
        (self.folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.token_folder}\nlog.level = ERROR\n")
        self._make_token("agentpki", self.folder / "pin")
        for tenant in self.tenant_tokens:
            self._make_token(f"hsm-{tenant}", self.folder / f"pin-{tenant}")

    def _make_token(self, label, pin_file):
        pin = secrets.token_hex(16)
        pin_file.touch(mode=0o600)
        pin_file.write_text(pin)
        before = set(self.token_folder.iterdir())
        run("softhsm2-util", "--init-token", "--free", "--label", label,
            "--so-pin", secrets.token_hex(16), "--pin", pin,
            env=self.server_environment(), check=True)
        (self._token_folders[label],) = set(self.token_folder.iterdir()) - before

    @contextlib.contextmanager
    def token_unavailable(self, tenant):
        """Removes the dedicated token of a tenant, and restores it at the end."""
        folder = self._token_folders[f"hsm-{tenant}"]
        elsewhere = self.folder / folder.name
        folder.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(folder)

    def pkcs11_tool(self, *words, tenant=None):
        """Runs OpenSC's pkcs11-tool on a token, with its PIN."""
        # pkcs11-tool takes the first token whose label begins with these characters, so no label of ours
        # is the beginning of another.
        label = f"hsm-{tenant}" if tenant else "agentpki"
        pin = (self.folder / (f"pin-{tenant}" if tenant else "pin")).read_text()
        return run("pkcs11-tool", "--module", HSM_MODULE, "--token-label", label,
                   "--login", "--pin", pin, *words,
                   env=self.server_environment(), check=True).stdout

    def key_labels(self, tenant=None):
        """Returns the labels of all keys on a token, public keys included."""
        shown = self.pkcs11_tool("--list-objects", tenant=tenant)
        return {line.split(":", 1)[1].strip() for line in shown.splitlines() if "label:" in line}

    def delete_key(self, label, tenant=None):
        for half in ("privkey", "pubkey"):
            self.pkcs11_tool("--delete-object", "--type", half, "--label", label, tenant=tenant)

    # ---- the command line -----------------------------------------------------------------------

    def cli(self, *words, **options):
        """Runs `agentpki` with the operator's credentials, or those of `identity`."""
        return run(CLI, *words, env=self._cli_environment(options), **options)

    def spawn_cli(self, *words, **options):
        return spawn(CLI, *words, env=self._cli_environment(options), **options)

    def json(self, *words, **options):
        """Runs a command that must succeed; returns its JSON output."""
        return json.loads(self.cli("--output", "json", *words, check=True, **options).stdout)

    def _cli_environment(self, options):
        return environment(AGENTPKI_IDENTITY=str(options.pop("identity", self.operator)))

    def s_client(self, *words, server=None, **options):
        """Runs `openssl s_client` with trust in the system hierarchy, and offers HTTP/2."""
        return run("openssl", "s_client", "-connect", (server or self.server).address,
                   "-CAfile", self.operator / "server-ca.pem", "-x509_strict",
                   "-verify_return_error", "-alpn", "h2", *words, **options)

    def shown_certificate(self, server=None):
        """Returns a file with the server's certificate in a new connection, verified by openssl."""
        done = self.s_client("-verify_ip", "127.0.0.1", server=server, check=True)
        file = self.folder / f"shown-{secrets.token_hex(4)}.pem"
        file.write_text(openssl.certificates(done.stdout)[0])
        return file

    # ---- agents ---------------------------------------------------------------------------------

    def register(self, path, *words):
        """Registers an agent; returns its SPIFFE ID."""
        self.cli("agent", "register", spiffe_id(path), "--owner", "test-team", *words, check=True)
        return spiffe_id(path)

    def new_token(self, path, *words):
        """Creates a join token for a registered agent; returns its text."""
        created = self.cli("token", "create", "--agent", spiffe_id(path), *words, check=True)
        return created.stdout.strip()

    def join(self, identity):
        """Enrolls a registered agent or operator; returns the folder with its credentials."""
        token = self.new_folder().with_suffix(".token")
        token.touch(mode=0o600)
        token.write_text(self.cli("token", "create", "--agent", identity, check=True).stdout)
        folder = self.new_folder()
        self.cli("cert", "enroll", "--token-file", token, "--out", folder, check=True)
        return folder

    def token_file(self, path, *words):
        file = self.folder / f"{secrets.token_hex(4)}.token"
        file.touch(mode=0o600)
        file.write_text(self.new_token(path, *words) + "\n")
        return file

    def new_folder(self):
        """Returns the path for a new folder of credentials, without making it."""
        return self.folder / f"credentials-{secrets.token_hex(4)}"

    def enroll(self, path, *words):
        """Registers and enrolls an agent; returns the folder with its credentials."""
        return self.join(self.register(path, *words))


class DeploymentTest(unittest.TestCase):
    """Tests that share one deployment, from the first test of a class to the last."""

    options = {}  # arguments of Deployment

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment(**cls.options))

    def run(self, result=None):
        failed_before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > failed_before:
            for server in self.deployment.servers:
                print(f"\n--- {self.id()}: the end of {server.log_file} ---\n"
                      f"{server.log()[-8000:]}", flush=True)

    def assert_refused(self, done, rule, *texts):
        """Checks that the CLI exited with 1, and that its error has the rule and all `texts`. Returns the
        error."""
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn(f"[{rule}]", done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        return done.stderr


def correlation_id(stderr):
    """Returns the correlation id in an error of the CLI."""
    return re.search(r"\(correlation id ([0-9a-f]{16})\)", stderr)[1]

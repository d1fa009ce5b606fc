"""The PostgreSQL of a deployment: its contents and its faults."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

from programs import PRIVATE_POSTGRES, environment, run, wait_until


class Database:
    """A private cluster in `folder`, with the database `agentpki` and its two roles. With
    `commit_times`, pg_xact_commit_timestamp(xmin) returns the time of a row's commit."""

    def __init__(self, folder, durable, commit_times=False):
        self._folder = folder
        self._commit_times = commit_times
        self._start = ["start"] if durable else ["start", "--fast"]
        self.host = ""

    def create(self):
        self.start()
        if self._commit_times:
            self.execute("ALTER SYSTEM SET track_commit_timestamp = on", "postgres")
            self.restart()
        self.create_database("agentpki", roles=True)

    def create_database(self, name, roles=False):
        """Creates an empty database, as an administrator does: only the two roles have rights."""
        if roles:
            self.execute("CREATE ROLE agentpki_owner LOGIN", "postgres")
            self.execute("CREATE ROLE agentpki_server LOGIN", "postgres")
        self.execute(f"CREATE DATABASE {name} OWNER agentpki_owner", "postgres")
        self.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC", "postgres")
        self.execute(f"GRANT CONNECT ON DATABASE {name} TO agentpki_server", "postgres")

    def conninfo(self, role, database="agentpki"):
        return f"host={self.host} dbname={database} user={role}"

    # ---- contents -------------------------------------------------------------------------------

    def execute(self, sql, database="agentpki"):
        """Runs SQL as superuser, from which row-level security hides nothing."""
        return run(*self._psql(database), "--command", sql, check=True).stdout

    def rows(self, sql):
        """Returns the rows of a query, each as a dictionary."""
        return json.loads(self.execute(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) AS t"))

    def value(self, sql):
        """Returns the only value of a query."""
        (row,) = self.rows(sql)
        (value,) = row.values()
        return value

    def dump(self):
        """Returns the whole database as SQL."""
        return run("pg_dump", self.conninfo("postgres"), check=True).stdout

    # ---- faults ---------------------------------------------------------------------------------

    def start(self):
        self._administer(*self._start)
        url = self._administer("url")
        self.host = url.split()[0].removeprefix("host=")

    def restart(self):
        self._administer("restart")

    def stop(self):
        self._administer("stop")

    def kill(self):
        """Kills all its processes. start() then recovers, at the same address."""
        self._administer("kill")

    @contextlib.contextmanager
    def frozen(self):
        """Lets it hang: all its processes are stopped, none has ended."""
        pids = self._pids()

        def signal_all(number):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):  # the process has ended
                    os.kill(pid, number)

        signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(signal.SIGCONT)

    @contextlib.contextmanager
    def locked(self, table):
        """Locks `table` against all others. Yields a function that waits for another lock request."""
        holder = subprocess.Popen(self._psql("agentpki"), env=environment(), text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with holder, contextlib.closing(holder.stdin):  # the end of input ends the transaction
            print(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';",
                  file=holder.stdin, flush=True)
            assert holder.stdout.readline() == "locked\n"
            yield lambda: wait_until(
                lambda: self.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0,
                f"a statement waits for {table}")

    # ---------------------------------------------------------------------------------------------

    def _psql(self, database):
        return ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                "--set", "ON_ERROR_STOP=1", "--dbname", self.conninfo("postgres", database)]

    def _administer(self, *words):
        return run(PRIVATE_POSTGRES, *words, self._folder, check=True).stdout

    def _pids(self):
        postmaster = int((self._folder / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

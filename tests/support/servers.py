"""Real servers on loopback, started by the tests, each on a port of its own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def program(name):
    """Return a server's program; without it the test is skipped, but not in CI."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") or next(
        map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None
    )
    if found is None:
        says = f"{name} is not installed; `make servers` installs what the tests start"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(says)
    return found


@contextmanager
def running(server):
    """Start a server, and stop it whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _not_root(folder):
    """Return the user that a server runs as, which owns its folder: some refuse to run as root."""
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "nobody")
    for above in folder.parents:
        if above.stat().st_uid == 0 and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    return "nobody"


class Postgres:
    """A PostgreSQL of its own, that can be killed and started again."""

    def __init__(self, folder, shared_buffers="128MB"):
        self._shared_buffers = shared_buffers
        self._postgres, initdb = program("postgres"), program("initdb")
        self._folder, self.port, self._process = folder, free_port(), None
        self._user = _not_root(folder)
        subprocess.run(
            [
                initdb,
                "-D",
                str(folder / "data"),
                "-U",
                "turnspan",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale",
                "C.UTF-8",
            ],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=folder,
        )

    def url(self, database="postgres"):
        return f"postgresql://turnspan:secret@127.0.0.1:{self.port}/{database}"

    def start(self):
        log = (self._folder / "log").open("ab")
        more = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": self._shared_buffers,
            "synchronous_commit": "on",
            "fsync": "on",
        }
        self._process = subprocess.Popen(
            [self._postgres, "-D", str(self._folder / "data"), *(f"-c{name}={value}" for name, value in more.items())],
            stdout=log,
            stderr=log,
            user=self._user,
            cwd=self._folder,
            start_new_session=True,
        )
        log.close()
        import psycopg

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url().replace("postgresql", "postgres"), connect_timeout=5).close()
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-2000:]}")

    def kill(self):
        """Kill it with all its processes, as a crash of the host does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(FileNotFoundError):
            (self._folder / "data" / "postmaster.pid").unlink()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def sql(self, statement, database="postgres"):
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class MariaDb:
    """A MariaDB of its own."""

    def __init__(self, folder):
        self._server, install = program("mariadbd"), program("mariadb-install-db")
        self._folder, self.port, self._process = folder, free_port(), None
        self._user = _not_root(folder)
        made = [install, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"]
        subprocess.run(made, check=True, capture_output=True, user=self._user, cwd=folder)

    def url(self, database=""):
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def start(self):
        options = {
            "datadir": self._folder / "data",
            "bind-address": "127.0.0.1",
            "port": self.port,
            "socket": self._folder / "socket",
            "pid-file": self._folder / "pid",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._server, "--no-defaults", *(f"--{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
            )
        import pymysql

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(pymysql.OperationalError):
                self.sql("SELECT 1")
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail(f"MariaDB did not start: {(self._folder / 'log').read_text()[-2000:]}")

    def kill(self):
        """Kill it, as a crash of the host does."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def sql(self, statement):
        import pymysql

        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return cursor.fetchall()


class PgBouncer:
    """A PgBouncer of its own before a PostgreSQL: each transaction may be another connection's."""

    def __init__(self, folder, postgres):
        self._bouncer = program("pgbouncer")
        self._folder, self._postgres, self.port, self._process = folder, postgres, free_port(), None
        self._user = _not_root(folder)

    def url(self, database="postgres"):
        return self._postgres.url(database).replace(f":{self._postgres.port}/", f":{self.port}/")

    def start(self):
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": 3,
            "max_client_conn": 200,
        }
        lines = ["[databases]", f"* = host=127.0.0.1 port={self._postgres.port} user=turnspan", "[pgbouncer]"]
        (self._folder / "ini").write_text("\n".join([*lines, *(f"{k} = {v}" for k, v in settings.items())]))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bouncer, str(self._folder / "ini")], stdout=log, stderr=log, user=self._user, cwd=self._folder
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail(f"PgBouncer did not start: {(self._folder / 'log').read_text()[-2000:]}")

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


class Redis:
    """A Redis of its own, that keeps everything on disk."""

    def __init__(self, folder, *, cluster=False):
        self._redis, self._folder, self.port, self._process = program("redis-server"), folder, free_port(), None
        if cluster:  # its bus has the port behind
            self.port = next(port for port in iter(free_port, None) if port < 55_000)
        self._cluster = cluster

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        more = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes"] if self._cluster else []
        self._process = subprocess.Popen(
            [
                self._redis,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self._folder),
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--save",
                "",
                *more,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                break
            time.sleep(0.05)
        if self._cluster:
            with suppress(Exception):  # it has them already
                self.client().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while "cluster_state:ok" not in str(self.client().execute_command("CLUSTER", "INFO")):
                assert time.monotonic() < deadline, "the Redis cluster did not come up"
                time.sleep(0.05)

    def client(self):
        import redis

        return redis.Redis(port=self.port, decode_responses=True)

    def empty(self):
        with self.client() as client:
            client.flushall()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

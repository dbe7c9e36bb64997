"""What the benchmarks share: building the tools, starting servers, logging in, writing rows, saying how it was done."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

TOOLS = pathlib.Path(__file__).resolve().parent
PROJECT = TOOLS.parent.parent
BUILD = PROJECT / ".build" / "benchmarks"
SOURCES = {
    "fan-out": ["fan-out.c", "client.c"],
    "slow-consumers": ["slow-consumers.c", "client.c"],
    "floor": ["floor.c"],
    "identity": ["identity.c", "client.c"],
    "logins": ["logins.c"],
}
SECRET = "the floor's key; nothing else is signed with it"


class Failure(Exception):
    """Something that ends a run, in one sentence."""


# ---- building ------------------------------------------------------------------------------------


def tool(name):
    """The path of a C tool, which is compiled when it is missing or older than a source."""
    program = BUILD / name
    newest = max(path.stat().st_mtime for path in TOOLS.iterdir() if path.suffix in (".c", ".h"))
    if program.exists() and program.stat().st_mtime > newest:
        return str(program)
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise Failure("The tools are written in C; gcc or clang has to be on the PATH.")
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = [str(TOOLS / source) for source in SOURCES[name]]
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), *sources], check=True)
    return str(program)


def release_server():
    """The path of the release server, which is built first."""
    build = ["swift", "build", "-c", "release", "-j", "2", "--product", "rolecall-server"]
    subprocess.run(build, cwd=PROJECT, check=True, stdout=sys.stderr)
    shown = subprocess.run([*build[:4], "--show-bin-path"], cwd=PROJECT, check=True, capture_output=True, text=True)
    return shown.stdout.strip() + "/rolecall-server"


# ---- where things run ----------------------------------------------------------------------------


class Pinning:
    """One core for the server and another for the generator; nothing where there is only one, or on request."""

    def __init__(self, wanted=True):
        self.cores = sorted(os.sched_getaffinity(0))
        self.is_on = wanted and len(self.cores) > 1

    def server(self):
        """For the child that becomes the server."""
        self._become(self.cores[0])

    def load(self):
        """For this process, and so for the generators that it starts."""
        self._become(self.cores[1 if len(self.cores) > 1 else 0])

    def _become(self, core):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if self.is_on:
            os.sched_setaffinity(0, {core})

    def __str__(self):
        if not self.is_on:
            return "not pinned"
        return f"server pinned to core {self.cores[0]}, generator and writer to core {self.cores[1]}"


def circumstances(server, pinning):
    """Where and when this was measured, in lines."""
    model = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True
    ).stdout.strip()
    if not os.access(server, os.X_OK):
        raise Failure(f"There is no server at {server}.")
    digest = hashlib.sha256(pathlib.Path(server).read_bytes()).hexdigest()[:12]
    return [
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, checkout {commit or 'unknown'}, "
        f"server binary sha256 {digest}",
        f"{os.cpu_count()} cores ({model}), kernel {platform.release()}, load average {os.getloadavg()[0]:.1f} at the "
        f"start; {pinning}",
    ]


# ---- servers -------------------------------------------------------------------------------------


class Server:
    """A server that is started fresh and stopped; its first line says where it listens."""

    def __init__(self, name, command, pinning):
        self.name = name
        self.command = command
        self.pinning = pinning

    def __enter__(self):
        BUILD.mkdir(parents=True, exist_ok=True)
        # On the project's disk, not where a machine may keep its memory's files: commits have to be real ones.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
        self.errors = open(self.directory / "log", "w+")
        command = [part.replace("DATA", str(self.directory / "data")) for part in self.command]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ROLECALL_")}
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=environment, preexec_fn=self.pinning.server,
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            log = self.log()
            self.__exit__()
            raise Failure(f"{self.name} did not start: {log.strip() or line.strip() or 'it said nothing'}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.pid = self.process.pid
        try:
            self.log_in()
        except OSError as error:
            self.__exit__()
            raise Failure(f"{self.name} let nobody in: {error}") from error
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_in(self):
        raise NotImplementedError

    def log(self):
        """What it has logged, from warnings on."""
        return (self.directory / "log").read_text()

    def rss_kb(self):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0

    def cpu_ns(self):
        """Of all threads, those that have ended among them."""
        # The kernel's number for a process's clock (clock_getcpuclockid).
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def is_running(self):
        return self.process.poll() is None


class Rolecall(Server):
    """The release server with the demo's model and accounts."""

    def __init__(self, program, pinning, options=(), name="rolecall-server"):
        command = [program, "--demo", "--data", "DATA", "--port", "0", "--log-level", "warning", *options]
        super().__init__(name, command, pinning)

    def log_in(self):
        self.admin = self._token("admin@example.com", "admin")
        self.user = self._token("test@example.com", "test")

    def _token(self, email, password):
        body = json.dumps({"email": email, "password": password}).encode()
        request = urllib.request.Request(self.url + "/auth/local", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=10))["token"]

    def database(self):
        """A connection of another process to its database, as anybody's would be."""
        path = self.directory / "data" / "rolecall.db"
        return sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)


class Floor(Server):
    """The C program that does no more than it must."""

    def __init__(self, name, pinning, batch=1):
        super().__init__(name, [tool("floor"), "--secret", SECRET, "--batch", str(batch)], pinning)

    def log_in(self):
        self.admin, self.user = self._token("admin"), self._token("user")

    @staticmethod
    def _token(role):
        def encode(part):
            return base64.urlsafe_b64encode(part).rstrip(b"=")

        claims = json.dumps({"_id": 1, "role": role, "exp": 4_000_000_000}, separators=(",", ":")).encode()
        signed = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(claims)
        return (signed + b"." + encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())).decode()


def on_termination():
    """A terminated benchmark stops its server, too."""

    def stop(*_):
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, stop)


# ---- rows ----------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyz" * 200


def info(made_ns, number, length):
    """What stands in a row's `info`: when it was made, its number in the run, and letters."""
    return (f"{made_ns} {number} " + LETTERS)[:length]


def clock_ns():
    """The clock that the tools measure with."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def table(rows, separators=()):
    """Rows of text in columns; the first column stands left, all others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for index, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        if index in separators:
            lines.append("")
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

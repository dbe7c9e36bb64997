"""Not one event lost, doubled, out of order or told to somebody else, whatever happens: tried by crashing.

Writers write through the API and the `sqlite3` shell, readers keep ledgers, and meanwhile the server is killed and
stopped, connections are reset and half open, the disk is full and the database is locked. In the end each ledger is
compared with the log, filtered for its user. Exit status 0 where nothing is wrong; 1 where something is; 2 where it
could not be tried.
"""

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from catchup import Catchup, MISSED
from faults import Faults
from ledger import Log, Verdict, is_awake, judge, sequence
from processes import Server
from proxy import Proxy
from readers import StockReader, WatchReader
from writers import ApiWriter, Book, Shell, ShellWriter

# What is done besides the kills, and how often for each of them; once at least.
RATES = {"stop": 0.15, "reset": 0.3, "halve": 0.2, "lock": 0.15, "fill": 0.06, "pause": 0.1, "slow": 0.05, "cut": 0.05}
DISK_SIZE = "384m"


def say(sentence):
    print(sentence, flush=True)


def parsed():
    parser = argparse.ArgumentParser(prog="Scripts/chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="how often the server is killed (100)")
    parser.add_argument("--minutes", type=float, default=20, metavar="N", help="the most that all faults may take (20)")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of an earlier run, for the same faults in the same order (a new one)")
    parser.add_argument("--server", required=True, metavar="PATH", help="rolecall-server")
    parser.add_argument("--client", required=True, metavar="PATH", help="rolecall")
    parser.add_argument(
        "--faults", metavar="NAME,...", type=lambda text: [name for name in text.split(",") if name],
        help=f"what is done besides kills, of {', '.join(RATES)} (all)")
    parser.add_argument("--no-measurement", action="store_true", help="leave out how long catching up takes")
    options = parser.parse_args()
    if options.faults is None:
        options.faults = list(RATES)
    for name in options.faults:
        if name not in RATES:
            parser.error(f"there is no fault {name}; there are {', '.join(RATES)}")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
        sys.argv += ["--seed", str(options.seed)]
    return options


def own_mounts():
    """Begins again with mounts of its own, which end with it: for a disk that can be full.

    Returns where that is not permitted, or has been done.
    """
    if os.environ.get("ROLECALL_CHAOS_MOUNTS"):
        return
    for way in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        try_mount = ["sh", "-c", 'd=$(mktemp -d) && mount -t tmpfs -o size=1m chaos "$d"; s=$?; '
                     'umount "$d" 2>/dev/null; rmdir "$d"; exit $s']
        try:
            if subprocess.run(way + try_mount, capture_output=True).returncode == 0:
                os.environ["ROLECALL_CHAOS_MOUNTS"] = "own"
                os.execvp(way[0], way + [sys.executable] + sys.argv)
        except OSError:
            continue


def free_port():
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return link.getsockname()[1]


def sign_in(server, email, password):
    request = urllib.request.Request(
        f"{server.url}/auth/local", json.dumps({"email": email, "password": password}).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["token"]


class Run:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.problems = []
        self.random = random.Random(options.seed)
        self.data = os.path.join(directory, "data")
        os.mkdir(self.data, 0o700)
        self.database = os.path.join(self.data, "rolecall.db")
        self.plan, self.skipped = self.planned()
        self.log_file = os.path.join(directory, "server.log")

    def planned(self):
        """The faults in their order, and sentences about those that are left out."""
        besides = [
            name for name in self.options.faults for _ in range(max(1, round(RATES[name] * self.options.kills)))]
        skipped = []
        if "fill" in besides and not self.mount():
            skipped.append("The disk was not filled: mounting one of its own is not permitted here.")
            besides = [name for name in besides if name != "fill"]
        if missing := sorted(set(RATES) - set(self.options.faults)):
            skipped.append(f"Not in this run: {', '.join(missing)}.")
        plan = ["kill"] * self.options.kills + besides
        self.random.shuffle(plan)
        return plan, skipped

    def mount(self):
        return os.environ.get("ROLECALL_CHAOS_MOUNTS") == "own" and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=700", "chaos", self.data],
            capture_output=True).returncode == 0

    def randoms(self):
        return random.Random(self.random.random())

    def begin(self):
        options = self.options
        self.server = Server(options.server, self.data, free_port(), self.log_file, self.randoms())
        if not self.server.listening.wait(60):
            sys.exit(f"The server does not start: {open(self.log_file).read()[-2000:]}")
        server = self.server
        admin = sign_in(server, "admin@example.com", "admin")
        user = sign_in(server, "test@example.com", "test")
        self.token = admin
        Shell(self.database).insist(["create table ballast(bytes);"])

        def stock(name, role, token, proxied, *transports, recovers=False):
            return StockReader(
                name, role, token, server.port, self.randoms(), Proxy(server.port) if proxied else None, transports,
                recovers)

        def watch(name, role, token, proxied):
            return WatchReader(
                name, role, token, server.port, options.client, self.directory, Proxy(server.port) if proxied else None)

        self.readers = [
            stock("admin, after", "admin", admin, False, "websocket"),
            stock("user, after", "user", user, True, "websocket"),
            stock("admin, pid", "admin", admin, True, "websocket", recovers=True),
            stock("user, pid", "user", user, True, "websocket", recovers=True),
            stock("user, polling, after", "user", user, True, "polling"),
            stock("user, polling and moving on, pid", "user", user, False, "polling", "websocket", recovers=True),
            watch("admin, watch", "admin", admin, True),
            watch("user, watch", "user", user, False),
        ]
        for reader in self.readers:
            if not reader.ledger.wait(lambda ledger: ledger.start is not None, 60):
                sys.exit(f"{reader.ledger.name} is not told who it is: {reader.ledger.complaints}")
        self.book = book = Book()
        # What the lock's holder writes and rolls back.
        book.refused.append("never")
        self.writers = [
            ApiWriter("api-user", book, self.randoms(), server.port, user, is_admin=False).start(),
            ApiWriter("api-admin", book, self.randoms(), server.port, admin, is_admin=True).start(),
            ShellWriter("shell", book, self.randoms(), self.database).start(),
        ]
        self.faults = Faults(server, self.readers, self.database, self.data, self.randoms())

    def rage(self):
        deadline = time.monotonic() + self.options.minutes * 60
        done = 0
        for done, name in enumerate(self.plan, 1):
            time.sleep(self.random.uniform(0.2, 2.5))
            if time.monotonic() > deadline:
                self.problems.append(f"{done - 1} of {len(self.plan)} faults took {self.options.minutes} minutes")
                break
            self.faults.commit(name)
            if done % 20 == 0:
                say(f"  {done} of {len(self.plan)} faults, {self.server.kills} kills, "
                    f"{self.readers[0].ledger.last} entries of the log")
        self.faults.finish()
        for writer in self.writers:
            writer.end()

    def settle(self):
        """Two last rows, one of them for admins; everybody has to be told of what he may see up to there."""
        if not self.server.listening.wait(60):
            self.problems.append("the server does not come back")
            return 0
        Shell(self.database).insist([
            "insert into thing(name, admin_only) values('the last but one', 1);",
            "insert into thing(name) values('the last');"])
        end = self.faults.head()
        for reader in self.readers:
            if not reader.ledger.wait(lambda ledger: ledger.last >= end, 120):
                self.problems.append(f"{reader.ledger.name} has come to {reader.ledger.last}, and the log to {end}")
        return end

    def measure(self):
        catchup = Catchup(self.server, self.database, self.token, self.options.client, self.directory)
        for way, seconds in catchup.measure().items():
            say(f"caught up with {MISSED:,} missed events ({way}): {seconds:.2f} s")

    def go(self):
        began = time.monotonic()
        say(f"seed {self.options.seed}: {self.options.kills} kills among {len(self.plan)} faults")
        self.begin()
        try:
            self.rage()
            end = self.settle()
        finally:
            for reader in self.readers:
                reader.end()
        log = Log(self.database)
        if not self.options.no_measurement and not self.problems:
            self.measure()
        self.server.end()
        return self.report(log, end, time.monotonic() - began)

    def report(self, log, end, seconds):
        ledgers = [reader.ledger for reader in self.readers]
        total = Verdict()
        for ledger in ledgers:
            verdict = judge(ledger, log, end)
            total.add(verdict)
            say(f"  {ledger.name}: {verdict.events} events over {ledger.connections} connections"
                + (f", which stand for {verdict.folded} more" if verdict.folded else ""))
            self.problems += [f"{ledger.name}: a gap: {gap}" for gap in ledger.gaps]
            self.problems += [f"{ledger.name}: {complaint}" for complaint in ledger.complaints]
        self.problems += is_awake(ledgers, log, end)
        wrong = self.book.compare(log)
        self.problems += wrong + self.book.complaints + self.faults.complaints + self.server.complaints
        with open(self.log_file, errors="replace") as file:
            self.problems += [line.strip() for line in file if "Fatal error" in line or " critical " in line]
        if self.server.kills < self.options.kills:
            self.problems.append(f"the server was killed {self.server.kills} times only")

        say(f"{len(log.entries)} entries of the log in {seconds:.0f} s; "
            + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.counts.items()))
            + f"; {self.server.refusals} starts refused while the disk was full or the database locked")
        say(f"writes: {len(self.book.acknowledged)} acknowledged, {len(self.book.refused)} refused or rolled back, "
            f"{len(self.book.unknown)} without an answer; {len(wrong)} of them not as they should be")
        for sentence in self.skipped:
            say(sentence)
        for sentence in total.details[:40] + self.problems[:40]:
            say(f"  ! {sentence}")
        lost, doubled, disordered, leaked = total.numbers
        say(f"{total.events} events told: {lost} lost, {doubled} doubled, {disordered} disordered, {leaked} leaked; "
            f"{sum(len(ledger.gaps) for ledger in ledgers)} gaps, {len(self.problems)} other problems")
        return 1 if any(total.numbers) or self.problems else 0

    def keep(self):
        """Leaves what is needed to find out what went wrong, where the mounts do not end with this process."""
        for reader in self.readers:
            with open(os.path.join(self.directory, f"{reader.ledger.name}.jsonl"), "w") as file:
                for event in reader.ledger.events:
                    print(json.dumps(event._replace(changed=sorted(event.changed))), file=file)
        kept = os.path.join(self.directory, "kept")
        shutil.copytree(self.data, kept, ignore=shutil.ignore_patterns("ballast"), dirs_exist_ok=True)
        say(f"database, ledgers and the server's log are in {self.directory}")


def main():
    options = parsed()
    if "fill" in options.faults:
        own_mounts()
    directory = tempfile.mkdtemp(prefix="rolecall-chaos-")
    status = 2
    try:
        run = Run(options, directory)
        status = run.go()
        if status:
            run.keep()
    finally:
        if status != 1:
            subprocess.run(["umount", os.path.join(directory, "data")], capture_output=True)
            shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.flush()
    # Threads of libraries that wait for something must not keep it.
    os._exit(status)


if __name__ == "__main__":
    main()

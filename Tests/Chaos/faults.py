"""What is done to the server, its connections, its disk and its database."""

import os
import signal
import subprocess
import threading
import time

from processes import spawn
from proxy import Proxy
from writers import Shell


class Faults:
    """Each fault is a method. Those that last do so beside the ones that follow; `finish` waits for their end."""

    def __init__(self, server, readers, database, disk, random):
        self.server = server
        self.readers = readers
        self.proxied = [reader for reader in readers if reader.proxy]
        self.watches = [reader for reader in readers if hasattr(reader, "process")]
        self.database = database
        # The directory of the disk that may be filled; None where there is none of its own.
        self.disk = disk
        self.random = random
        self.counts = {}
        self.first_of_last = 0
        self.complaints = []
        self.lasting = []
        self.filling = threading.Lock()

    def commit(self, name):
        if getattr(self, name)():
            self.counts[name] = self.counts.get(name, 0) + 1

    def beside(self, work, *arguments):
        def run():
            try:
                work(*arguments)
            except Exception as error:
                self.complaints.append(f"{work.__name__}: {type(error).__name__}: {error}")
        thread = threading.Thread(target=run)
        thread.start()
        self.lasting.append(thread)
        return True

    def finish(self):
        for thread in self.lasting:
            thread.join()
        self.lasting = []

    # The server.

    def kill(self):
        # Now and then as soon as it listens: while it is asked for what was missed.
        if self.random.random() < 0.3:
            self.server.listening.wait(30)
            time.sleep(self.random.uniform(0, 0.3))
        deadline = time.monotonic() + 30
        while not self.server.kill():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def stop(self):
        """Sometimes for longer than clients wait for a ping."""
        self.server.listening.wait(30)
        return self.beside(self.server.stop, self.random.choice([0.3, 1, 3, 9]))

    # Connections.

    def reset(self):
        """Those that are connected; where nobody is, whoever comes first."""
        readers = self.chosen()
        deadline = time.monotonic() + 20
        while not sum(reader.proxy.reset() for reader in readers):
            with Proxy.arrivals:
                if not Proxy.arrivals.wait_for(
                        lambda: any(reader.proxy.connections for reader in readers), deadline - time.monotonic()):
                    return False
        return True

    def halve(self):
        for reader in self.chosen():
            self.beside(reader.proxy.halve, self.random.uniform(3, 12))
        return True

    def chosen(self):
        return self.random.sample(self.proxied, self.random.randint(1, len(self.proxied)))

    def pause(self):
        """A `rolecall watch` that is stopped for a while, sometimes for longer than the server waits for its pong."""
        def hold(process, seconds):
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
        return self.beside(hold, self.random.choice(self.watches).process, self.random.choice([0.5, 2, 10]))

    def slow(self):
        """A reader that takes nothing while more is written than its connection holds, and then takes all of it.

        Nothing else is done meanwhile: this is about what the queue does; for one that is cut off there is `cut`.
        """
        head = self.hold_up(lambda reader: None)
        return self.all_have(head)

    def cut(self):
        """The same, and the connection is reset when some of what had waited has been taken."""
        def reset(reader):
            told = self.first_of_last
            if reader.ledger.wait(lambda ledger: ledger.last > told, 60):
                reader.proxy.reset()
        head = self.hold_up(reset)
        return self.all_have(head)

    def all_have(self, head):
        return all(reader.ledger.wait(lambda ledger: ledger.last >= head, 120) for reader in self.readers)

    def hold_up(self, then):
        """Holds a reader up while some megabytes are written: many changes of a few rows, rows of which each is new,
        and a change of the few once more. Gives the last entry of the log that everybody is told of.
        """
        self.finish()
        self.server.listening.wait(30)
        reader = self.random.choice([reader for reader in self.proxied if reader not in self.watches])
        shell = Shell(self.database)
        change = "update thing set info = '{} ' || hex(zeroblob(1500)) where _id <= 5;"
        self.beside(reader.proxy.hold, 2.5)
        time.sleep(0.2)
        shell.insist(["begin immediate;"] + [change.format(number) for number in range(500)] + ["commit;"])
        self.first_of_last = self.head()
        rows = ",".join(f"('burst', '{number} ' || hex(zeroblob(1500)))" for number in range(200))
        shell.insist([
            "begin immediate;", f"insert into thing(name, info) values {rows};", change.format("last"), "commit;"])
        then(reader)
        # Everybody is told of this one.
        shell.insist(["insert into thing(name) values('burst');"])
        head = self.head()
        self.all_have(head)
        shell.insist(["delete from thing where name = 'burst';"])
        return head

    # The database.

    def lock(self):
        return self.beside(self.hold_lock, self.random.choice([0.5, 2, 4, 7]))

    def hold_lock(self, seconds):
        """Another process holds the writer's lock, and rolls back what it has written under it."""
        self.server.hindrances += 1
        try:
            process = spawn(
                ["sqlite3", "-bail", "-cmd", ".timeout 10000", self.database], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdin.write(
                b"begin immediate; insert into thing(name, info) values('never', 'never'); select 'held';\n")
            process.stdin.flush()
            process.stdout.readline()
            time.sleep(seconds)
            process.communicate(b"rollback;\n")
        finally:
            self.server.hindrances -= 1

    def fill(self):
        return self.beside(self.fill_disk, self.random.choice([1, 2, 4]))

    def fill_disk(self, seconds):
        """A file takes all room, and rows of a table that nobody follows take what the journal has in reserve."""
        with self.filling:
            self.fill_it(seconds)

    def fill_it(self, seconds):
        shell = Shell(self.database)
        file = os.path.join(self.disk, "ballast")
        self.server.hindrances += 1
        try:
            with open(file, "wb", buffering=0) as ballast:
                for size in (1 << 20, 1 << 12):
                    try:
                        while True:
                            ballast.write(bytes(size))
                    except OSError:
                        pass
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline:
                    status, errors = shell.run(["insert into ballast values(zeroblob(300000));"])
                    if "full" in errors or "I/O" in errors:
                        break
                else:
                    self.complaints.append("the disk would not become full")
                time.sleep(seconds)
        finally:
            os.unlink(file)
            self.server.hindrances -= 1
        shell.insist(["delete from ballast;"])

    def head(self):
        process = spawn(
            ["sqlite3", "-readonly", "-cmd", ".timeout 10000", self.database, "select max(seq) from rolecall_events"],
            stdout=subprocess.PIPE)
        output, _ = process.communicate()
        return int(output)

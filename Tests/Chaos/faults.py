"""What is done to the server, its connections, its disk and its database."""

import os
import signal
import subprocess
import threading
import time

from processes import spawn
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
        self.complaints = []
        self.lasting = []

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
        return self.beside(self.server.stop, self.random.choice([0.3, 1, 3, 6]))

    # Connections.

    def reset(self):
        return sum(reader.proxy.reset() for reader in self.chosen()) > 0

    def halve(self):
        for reader in self.chosen():
            self.beside(reader.proxy.halve, self.random.uniform(2, 8))
        return True

    def chosen(self):
        return self.random.sample(self.proxied, self.random.randint(1, len(self.proxied)))

    def pause(self):
        """A `rolecall watch` that is stopped for a while, sometimes for longer than the server waits for its pong."""
        def hold(process, seconds):
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
        return self.beside(hold, self.random.choice(self.watches).process, self.random.choice([0.5, 2, 6]))

    def slow(self):
        """A reader that takes nothing while more is written than its connection holds, and then takes all of it.

        Nothing else is done meanwhile: this is about what the queue does, and one that is cut off is another case.
        """
        self.finish()
        self.server.listening.wait(30)
        reader, head = self.burst()
        return all(
            other.ledger.wait(lambda ledger: ledger.last >= head, 120) for other in [reader] + self.readers)

    def cut(self):
        """The same, and the connection is reset when some of it has been taken."""
        self.finish()
        self.server.listening.wait(30)
        reader, head = self.burst()
        taken = len(reader.ledger.events) + 3
        came_to_it = reader.ledger.wait(lambda ledger: len(ledger.events) > taken, 60)
        is_within = reader.ledger.last < head
        reader.proxy.reset()
        return came_to_it and is_within and all(
            other.ledger.wait(lambda ledger: ledger.last >= head, 120) for other in self.readers)

    def burst(self):
        """Holds a reader up while some megabytes of rows are written.

        Gives the reader, and the last of these rows in the log.
        """
        reader = self.random.choice([reader for reader in self.proxied if reader not in self.watches])
        rows = "".join(
            f"update thing set info = '{number} ' || hex(zeroblob(1500)) where _id <= 5;" for number in range(500))
        self.beside(reader.proxy.hold, 2.5)
        time.sleep(0.2)
        Shell(self.database).insist([f"begin immediate; {rows} commit;"])
        return reader, self.head()

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

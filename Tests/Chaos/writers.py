"""Writers, through the API and through the shell, and the book of what they were told of their writes."""

import http.client
import json
import subprocess
import threading
import time

from processes import spawn


class Book:
    """What became of each write, by the mark that it put into a row's `info`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = []
        # Refused by an answer, or rolled back: in no case may they be in the log.
        self.refused = []
        # Nobody knows, as the connection or the shell ended: what was written at once is there or not at once.
        self.unknown = []
        self.complaints = []
        self.next = 0

    def mark(self, who):
        with self.lock:
            self.next += 1
            return f"{who}-{self.next}"

    def enter(self, marks, outcome):
        with self.lock:
            if outcome == "unknown":
                self.unknown.append(marks)
            else:
                getattr(self, outcome).extend(marks)

    def compare(self, log):
        """Sentences about acknowledged writes that the log lacks or has twice, and others that it should not have."""
        counts = log.counts()
        wrong = []
        for mark in self.acknowledged:
            if counts.get(mark, 0) != 1:
                wrong.append(f"{mark} was acknowledged, and is in the log {counts.get(mark, 0)} times")
        for mark in self.refused:
            if mark in counts:
                wrong.append(f"{mark} was refused or rolled back, and is in the log")
        for marks in self.unknown:
            found = [counts.get(mark, 0) for mark in marks]
            if found not in ([0] * len(marks), [1] * len(marks)):
                wrong.append(f"one transaction left a part of itself in the log: {dict(zip(marks, found))}")
        return wrong


class Writer:
    """Writes until it is ended, with pauses."""

    def __init__(self, name, book, random, pause):
        self.name = name
        self.book = book
        self.random = random
        self.pause = pause
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        while not self.ending.wait(self.random.uniform(0, 2 * self.pause)):
            try:
                self.write()
            except Exception as error:
                self.book.complaints.append(f"{self.name}: {type(error).__name__}: {error}")

    def end(self):
        self.ending.set()
        self.thread.join(60)


class ApiWriter(Writer):
    """Makes, changes and removes things, and tries again what did not come to an answer."""

    def __init__(self, name, book, random, port, token, is_admin, pause=0.03):
        super().__init__(name, book, random, pause)
        self.port = port
        self.token = token
        self.is_admin = is_admin
        self.statuses = {200, 201, 204, 404, 503} | (set() if is_admin else {403})
        self.rows = []

    def write(self):
        choice = self.random.random()
        if self.rows and choice < 0.35:
            self.insist("PATCH", f"/api/things/{self.random.choice(self.rows)}")
        elif self.rows and choice < 0.45 and self.is_admin:
            row = self.rows.pop(self.random.randrange(len(self.rows)))
            self.request("DELETE", f"/api/things/{row}")
        else:
            self.insist("POST", "/api/things")

    def insist(self, method, path):
        for _ in range(10):
            mark = self.book.mark(self.name)
            body = {"info": mark, "admin_only": self.is_admin and self.random.random() < 0.3}
            if method == "POST":
                body["name"] = mark
            status, answer = self.request(method, path, body)
            if status is None:
                self.book.enter([mark], "unknown")
            elif status in (200, 201):
                self.book.enter([mark], "acknowledged")
                if status == 201:
                    self.rows.append(answer["_id"])
                return
            elif status == 503 and "may have been done" in (answer or {}).get("message", ""):
                self.book.enter([mark], "unknown")
            else:
                self.book.enter([mark], "refused")
                if status in (403, 404):
                    # The shell has removed it, or made it one for admins.
                    return
            if self.ending.wait(self.random.uniform(0.05, 0.3)):
                return

    def request(self, method, path, body=None):
        """The answer's status and body; None for the status where there was no whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            return None, None
        finally:
            connection.close()
        if answer.status not in self.statuses:
            self.book.complaints.append(f"{method} {path} was answered with {answer.status}: {data[:300]!r}")
        return answer.status, json.loads(data) if data else None


class Shell:
    """`sqlite3` on the database, as anybody has it who has the file."""

    def __init__(self, database, patience=3):
        self.database = database
        self.patience = patience

    def run(self, statements):
        """Exit status and complaints; a statement that fails ends it, and its transaction with it."""
        process = spawn(
            ["sqlite3", "-bail", "-cmd", f".timeout {int(self.patience * 1000)}", self.database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, errors = process.communicate("\n".join(statements).encode())
        return process.returncode, errors.decode(errors="replace").strip()

    def insist(self, statements, seconds=60):
        """The same until it is done."""
        deadline = time.monotonic() + seconds
        while True:
            status, errors = self.run(statements)
            if status == 0 and not errors:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{statements[0]}: {errors}")
            time.sleep(0.1)


class ShellWriter(Writer):
    """Transactions of some statements, of which some are rolled back, in part or as a whole."""

    # Transient: locked, full, and what a full disk looks like to the one who has to make the shared memory.
    expected = ("locked", "full", "disk I/O error", "unable to open database file")

    def __init__(self, name, book, random, database, pause=0.1):
        super().__init__(name, book, random, pause)
        self.shell = Shell(database)

    def statement(self, mark):
        secret = int(self.random.random() < 0.3)
        if self.random.random() < 0.6:
            return f"insert into thing(name, info, admin_only) values('{mark}', '{mark}', {secret});"
        # Of rows that are there one is changed for certain: the things that the demo begins with are never removed.
        return (f"update thing set info = '{mark}', admin_only = {secret} where _id = "
                "(select _id from thing order by random() limit 1);")

    def write(self):
        kept, dropped, statements = [], [], ["begin immediate;"]
        for _ in range(self.random.randint(1, 6)):
            mark = self.book.mark(self.name)
            if self.random.random() < 0.15:
                statements += ["savepoint part;", self.statement(mark), "rollback to part;", "release part;"]
                dropped.append(mark)
            else:
                statements.append(self.statement(mark))
                kept.append(mark)
        if self.random.random() < 0.3:
            statements.append(
                "delete from thing where _id > 5 and (select count(*) from thing) > 150 and _id in "
                "(select _id from thing order by random() limit 10);")
        is_kept = self.random.random() < 0.75
        statements.append("commit;" if is_kept else "rollback;")
        status, errors = self.shell.run(statements)
        if status == 0 and not errors:
            self.book.enter(kept, "acknowledged" if is_kept else "refused")
        else:
            if not any(word in errors for word in self.expected):
                self.book.complaints.append(f"the shell fails with {status}: {errors}")
            self.book.enter(kept, "unknown" if is_kept else "refused")
        self.book.enter(dropped, "refused")

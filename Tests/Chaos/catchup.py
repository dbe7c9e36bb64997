"""How long it takes from coming back to having caught up."""

import json
import statistics
import subprocess
import time

import websocket

from ledger import sequence
from processes import spawn
from writers import Shell

MISSED = 10_000


class Catchup:
    """Readers of which each has missed the same events. Times are from beginning to connect to having the last one."""

    def __init__(self, server, database, token, program, directory):
        self.server = server
        self.token = token
        self.program = program
        self.directory = directory
        self.ticket, self.position = self.leave()
        shell = Shell(database)
        for start in range(0, MISSED, 100):
            rows = ",".join(f"('missed {number}', '{number} rpm')" for number in range(start, start + 100))
            shell.insist([f"insert into thing(name, info) values {rows};"])

    def open(self, auth):
        link = websocket.create_connection(
            f"ws://127.0.0.1:{self.server.port}/socket.io/?EIO=4&transport=websocket", timeout=60, suppress_origin=True)
        link.send("40" + json.dumps({"token": self.token} | auth))
        return link

    def leave(self):
        """A connection that ends as soon as it knows its ticket and the position."""
        link = self.open({})
        ticket = None
        while True:
            text = link.recv()
            if text.startswith("40"):
                ticket = json.loads(text[2:])["pid"]
            elif text.startswith('42["identity"'):
                link.close()
                return ticket, json.loads(text[2:])[2]

    def by_socket(self, auth):
        began = time.monotonic()
        link = self.open(auth)
        names = []
        while len(names) < MISSED:
            text = link.recv()
            if text == "2":
                link.send("3")
            elif text.startswith('42["thing:'):
                names.append(text)
        seconds = time.monotonic() - began
        link.close()
        rows = [json.loads(text[2:]) for text in names]
        numbers = [sequence(row[3]) for row in rows]
        assert [row[1]["name"] for row in rows] == [f"missed {number}" for number in range(MISSED)], "not those missed"
        assert numbers == sorted(set(numbers)), "not in order"
        return seconds

    def by_watch(self):
        began = time.monotonic()
        process = spawn(
            [self.program, "watch", "--after", self.position, "--count", MISSED],
            {"ROLECALL_TOKEN": self.token, "ROLECALL_SERVER": self.server.url, "XDG_STATE_HOME": str(self.directory)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        output, _ = process.communicate()
        seconds = time.monotonic() - began
        assert output.count(b'"kind":"event"') == MISSED, "not those missed"
        return seconds

    def measure(self, times=5):
        """The median of some times for each way of coming back."""
        ways = {
            "after": lambda: self.by_socket({"after": self.position}),
            "pid and offset": lambda: self.by_socket({"pid": self.ticket, "offset": self.position}),
            "rolecall watch, its start included": self.by_watch,
        }
        return {name: statistics.median(way() for _ in range(times)) for name, way in ways.items()}

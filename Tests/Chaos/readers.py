"""Readers that come back whenever they lose their connection, and enter all that they are told into a ledger."""

import json
import logging
import threading

import engineio
import socketio

from ledger import Ledger
from processes import spawn

# They say much about connections that end, which is all that is done here.
for name in ("engineio.client", "socketio.client"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class OrderedEngine(engineio.Client):
    """Hands packets on in the thread that reads them; the original starts a thread for each, which loses the order."""

    def _trigger_event(self, event, *arguments, **options):
        options.pop("run_async", None)
        return super()._trigger_event(event, *arguments, run_async=False, **options)


class OrderedClient(socketio.Client):
    """Keeps what the server's CONNECT says, which python-socketio does not show."""

    ticket = None

    def _engineio_client_class(self):
        return OrderedEngine

    def _handle_connect(self, namespace, data):
        self.ticket = (data or {}).get("pid")
        super()._handle_connect(namespace, data)


class StockReader:
    """python-socketio, which resumes by the position that it was told last.

    With `recovers` it resumes as the JavaScript client does by itself: by the `pid` of the server's CONNECT and the
    last argument of the last event that ended with a string.
    """

    def __init__(self, name, role, token, port, random, proxy=None, transports=("websocket",), recovers=False):
        self.ledger = Ledger(name, role)
        self.proxy = proxy
        self.token = token
        self.url = f"http://127.0.0.1:{proxy.port if proxy else port}"
        self.transports = list(transports)
        self.recovers = recovers
        self.random = random
        self.ticket = None
        self.ending = threading.Event()
        self.client = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def auth(self):
        auth = {"token": self.token}
        if self.recovers and self.ticket:
            auth["pid"] = self.ticket
            if self.ledger.position:
                auth["offset"] = self.ledger.position
        elif not self.recovers and self.ledger.position:
            auth["after"] = self.ledger.position
        return auth

    def run(self):
        while not self.ending.is_set():
            # Short, since a server that is stopped answers nobody; a half-open connection is found by its pings.
            client = OrderedClient(reconnection=False, handle_sigint=False, request_timeout=5)
            client.on("*", lambda name, *arguments: self.heard(client, name, arguments))
            self.client = client
            brought = self.auth()
            client.on("connect", lambda: self.connected(client, brought))
            try:
                client.connect(self.url, auth=brought, transports=self.transports, wait=True, wait_timeout=5)
                client.wait()
            except Exception as error:
                # Whatever a library meets with where a server is killed under it.
                if not isinstance(error, (socketio.exceptions.SocketIOError, engineio.exceptions.EngineIOError, OSError,
                                          ValueError)):
                    self.ledger.complaints.append(f"{type(error).__name__}: {error}")
            self.leave(client)
            self.ending.wait(self.random.uniform(0.05, 0.5))

    @staticmethod
    def leave(client):
        """Nothing comes by this one any more, whatever its threads still find."""
        client.handlers.clear()
        try:
            client.shutdown()
            for thread in (client.eio.read_loop_task, client.eio.write_loop_task):
                if thread is not None:
                    thread.join(10)
        except Exception:
            pass

    def connected(self, client, brought):
        if self.recovers:
            if "offset" in brought and client.ticket != brought["pid"]:
                self.ledger.complaints.append("it brought a pid and an offset, and was not recovered")
            self.ticket = client.ticket

    def heard(self, client, name, arguments):
        if client is not self.client:
            self.ledger.complaints.append("a connection was heard of that had been given up")
        elif name == "identity":
            identity, position = arguments
            self.ledger.identity(position, (identity["user"] or {}).get("role"))
        else:
            self.ledger.told(name, arguments)

    def end(self):
        self.ending.set()
        if self.client is not None:
            self.leave(self.client)
        self.thread.join(30)


class WatchReader:
    """`rolecall watch`, which resumes by itself."""

    def __init__(self, name, role, token, port, program, directory, proxy=None):
        self.ledger = Ledger(name, role)
        self.proxy = proxy
        self.is_ending = False
        environment = {
            "ROLECALL_TOKEN": token, "ROLECALL_SERVER": f"http://127.0.0.1:{proxy.port if proxy else port}",
            "XDG_STATE_HOME": str(directory),
        }
        self.threads = []
        started = threading.Semaphore(0)
        self.threads.append(threading.Thread(target=self.run, args=(program, environment, started), daemon=True))
        self.threads[0].start()
        started.acquire()
        self.threads.append(threading.Thread(target=self.read_errors, daemon=True))
        self.threads[1].start()

    def run(self, program, environment, started):
        self.process = spawn([program, "watch", "--format", "json"], environment, stdin=-3, stdout=-1, stderr=-1)
        started.release()
        for line in self.process.stdout:
            self.read(json.loads(line))
        status = self.process.wait()
        if not self.is_ending:
            self.ledger.complaints.append(f"it ended by itself with status {status}")

    def read(self, line):
        kind = line["kind"]
        if kind == "identity":
            self.ledger.identity(line["position"], (line["user"] or {}).get("role"))
        elif kind == "gap":
            self.ledger.told("gap", [line])
        elif kind == "event" and "position" in line:
            facts = {name: line[name] for name in ("op", "changed", "folded") if name in line}
            self.ledger.told(line["event"], [line["row"], facts, line["position"]])

    def read_errors(self):
        for line in self.process.stderr:
            text = line.decode(errors="replace").strip()
            if "come twice" in text:
                self.ledger.doubled += 1
            else:
                self.ledger.complaints.append(f"it says: {text}")

    def end(self):
        self.is_ending = True
        self.process.terminate()
        for thread in self.threads:
            thread.join(30)

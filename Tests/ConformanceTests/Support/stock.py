"""A stock client, python-socketio, against the fixture: one scenario a run.

    stock.py URL SCENARIO TRANSPORTS [OPTIONS]

TRANSPORTS is a list with commas between; OPTIONS is a JSON object. What came of it is one JSON object on a line of
standard output. A scenario that takes longer than two minutes is ended by a signal.
"""

import json
import signal
import sys
import threading
import time

import engineio
import socketio

signal.alarm(120)
url, scenario, transports, options = (sys.argv[1:] + ["{}"])[:4]
transports = transports.split(",")
options = json.loads(options)
PATIENCE = 60


class OrderedEngine(engineio.Client):
    """Hands packets on in the thread that reads them; the original starts a thread for each, which loses the order."""

    def _trigger_event(self, event, *arguments, **others):
        others.pop("run_async", None)
        return super()._trigger_event(event, *arguments, run_async=False, **others)


class OrderedClient(socketio.Client):
    def _engineio_client_class(self):
        return OrderedEngine


class Heard:
    """What came, and a way to wait for more."""

    def __init__(self):
        self.changed = threading.Condition()
        self.things = []

    def add(self, *thing):
        with self.changed:
            self.things.append(thing)
            self.changed.notify_all()

    def wait(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.things) >= count, PATIENCE):
                raise TimeoutError(f"{len(self.things)} of {count} came: {self.things[-3:]}")
            return self.things[:count]


heard = Heard()
ended = Heard()


def connected(namespaces=("/",), auth=None, wait=True):
    client = OrderedClient(reconnection=False, handle_sigint=False, request_timeout=PATIENCE)
    for namespace in namespaces:
        def event(name, *arguments, namespace=namespace):
            heard.add(namespace, name, *arguments)
            return ("answered", *arguments) if name == "question" else None
        client.on("*", event, namespace=namespace)
        client.on("connect_error", lambda *data, n=namespace: heard.add(n, "connect_error", *data), namespace=namespace)
        client.on("disconnect", lambda *reason, n=namespace: ended.add(n, *reason), namespace=namespace)
    client.connect(url, transports=transports, namespaces=list(namespaces), auth=auth, wait=wait, wait_timeout=PATIENCE)
    return client


def plain(value):
    """As JSON can tell it: bytes as their length and whether they are counted through as the fixture does it."""
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": len(value), "counted": value == bytes(i % 251 for i in range(len(value)))}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    return value


def counted(size):
    return bytes(i % 251 for i in range(size))


def echo():
    """An event, attachments, an acknowledgement, and a question of the server, each with all that JSON has."""
    client = connected(auth={"token": "123"})
    arguments = [1, -2.5, "né 日本語 👩‍👩‍👧", None, True, [], {"a": {"b": [counted(5), "c"]}}, counted(0), counted(300)]
    heard.wait(1)
    client.emit("message", tuple(arguments))
    heard.wait(2)
    answers = Heard()
    client.emit("message-with-ack", tuple(arguments), callback=lambda *answer: answers.add(*answer))
    answer = answers.wait(1)[0]
    client.emit("ask", tuple(arguments))
    things = heard.wait(4)
    return {
        "auth": plain(things[0]), "message": list(things[1][2:]) == arguments, "acknowledgement": list(answer) == arguments,
        "question": list(things[2]) == ["/", "question", *arguments],
        "answer": list(things[3]) == ["/", "answer", "answered", *arguments],
        "transport": client.transport(), "sid": client.get_sid() is not None,
    }


def namespaces():
    client = connected(["/", "/custom"], auth={"token": "abc"})
    heard.wait(2)
    client.emit("message", "main")
    client.emit("message", "custom", namespace="/custom")
    things = heard.wait(4)
    sids = {client.get_sid("/"), client.get_sid("/custom")}
    client.emit("leave", namespace="/custom")
    gone = ended.wait(1)
    client.emit("message", "still here")
    still = heard.wait(5)[4]
    return {
        "heard": sorted(plain(things)), "sids": len(sids), "gone": plain(gone), "still": plain(still),
        "transport": client.transport(),
    }


def refused():
    """A namespace that is refused, one that is not there, and one that is."""
    client = connected(["/", "/refused", "/nowhere"], wait=False)
    things = heard.wait(3)
    client.emit("message", "still here")
    return {"heard": sorted(plain(things), key=str), "still": plain(heard.wait(4)[3]), "transport": client.transport()}


def big():
    """As much as one message may have, both ways, and as an acknowledgement."""
    client = connected()
    heard.wait(1)
    size = options["size"]
    text = "x" * options["characters"]
    client.emit("message", (text, counted(size)))
    message = heard.wait(2)[1]
    answers = Heard()
    client.emit("message-with-ack", (text, counted(size)), callback=lambda *answer: answers.add(*answer))
    answer = answers.wait(1)[0]
    client.emit("bytes", size)
    served = heard.wait(3)[2]
    return {
        "message": message[2] == text and message[3] == counted(size),
        "acknowledgement": answer[0] == text and answer[1] == counted(size),
        "served": served[2] == counted(size), "transport": client.transport(),
    }


def many():
    """Many small messages each way, at once."""
    client = connected()
    heard.wait(1)
    count = options["count"]
    client.emit("count", count)
    for number in range(count):
        client.emit("message", number)
    things = heard.wait(1 + 2 * count)[1:]
    return {
        "echoes": [n for _, name, n in things if name == "message-back"] == list(range(count)),
        "numbers": [n for _, name, n in things if name == "number"] == list(range(count)),
        "transport": client.transport(),
    }


def patience():
    """Lives on the heartbeat for a while, saying nothing itself."""
    client = connected()
    time.sleep(options["seconds"])
    client.emit("message", "still here")
    return {"heard": plain(heard.wait(2)[1]), "ended": plain(ended.things), "transport": client.transport()}


def chat():
    """Two of the example's users, and one who gives no name."""
    ann = connected(auth={"name": "Ann"})
    refusals = Heard()
    stranger = OrderedClient(reconnection=False, handle_sigint=False)
    stranger.on("connect_error", lambda *data: refusals.add(*data))
    try:
        stranger.connect(url, transports=transports, wait_timeout=PATIENCE)
    except socketio.exceptions.ConnectionError:
        pass
    bob = connected(auth={"name": "Bob"})
    answers = Heard()
    bob.emit("say", "hello", callback=lambda *answer: answers.add(*answer))
    return {
        "answer": plain(answers.wait(1)[0]), "heard": plain(heard.wait(1)), "refusal": plain(refusals.wait(1)[0]),
        "transport": ann.transport(),
    }


def closed():
    """The server ends the connection."""
    client = connected()
    heard.wait(1)
    client.emit("close")
    return {"ended": plain(ended.wait(1)), "connected": client.connected}


def leaves():
    """The client ends it."""
    client = connected()
    heard.wait(1)
    transport = client.transport()
    client.disconnect()
    return {"ended": plain(ended.wait(1)), "transport": transport}


def outlives():
    """Says when it is there, and waits for the server's end."""
    client = connected()
    heard.wait(1)
    print(json.dumps({"transport": client.transport()}), flush=True)
    return {"ended": plain(ended.wait(1))}


print(json.dumps(globals()[scenario]()), flush=True)

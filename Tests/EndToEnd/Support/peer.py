"""The independent client of the end-to-end tests: python-socketio, websocket-client, plain HTTP and plain TCP.

One JSON command a line on standard input, one JSON record a line on standard output, each with the monotonic time in
seconds ("at"). A command has an "id", and is answered by a record with the same "reply" and a "value" or an "error";
what a socket receives is a record with its name in "socket" and a "kind". Records of one socket stand in the order of
the wire. The program ends when its standard input does.
"""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import sys
import threading
import time

import engineio
import socketio
import websocket

output = threading.Lock()


def record(**members):
    members["at"] = time.monotonic()
    line = json.dumps(members)
    with output:
        print(line, flush=True)


class OrderedEngine(engineio.Client):
    """Hands packets on in the thread that reads them; the original starts a thread for each, which loses the order."""

    def _trigger_event(self, event, *arguments, **options):
        options.pop("run_async", None)
        return super()._trigger_event(event, *arguments, run_async=False, **options)


class OrderedClient(socketio.Client):
    def _engineio_client_class(self):
        return OrderedEngine


class StockSocket:
    """A socket of python-socketio."""

    def __init__(self, command):
        self.name = name = command["socket"]
        namespace = command.get("namespace", "/")
        options = {"suppress_origin": True} if command.get("no_origin") else {}
        if "origin" in command:
            options["origin"] = command["origin"]
        self.client = client = OrderedClient(
            reconnection=False, handle_sigint=False, websocket_extra_options=options)
        self.namespace = namespace
        client.on("*", lambda event, *arguments: record(socket=name, kind="event", name=event, args=arguments),
                  namespace=namespace)
        client.on("connect", lambda: record(socket=name, kind="connected"), namespace=namespace)
        client.on("connect_error", lambda *reason: record(socket=name, kind="refused", args=reason),
                  namespace=namespace)
        client.on("disconnect", lambda *reason: record(socket=name, kind="disconnected", args=reason),
                  namespace=namespace)
        client.connect(
            command["url"], headers=command.get("headers", {}), auth=command.get("auth"),
            transports=command.get("transports", ["websocket"]), namespaces=[namespace], wait=True, wait_timeout=20)

    def emit(self, command):
        acknowledge = None
        if "ack" in command:
            tag = command["ack"]
            def acknowledge(*arguments):
                record(socket=self.name, kind="ack", ack=tag, args=arguments)
        self.client.emit(
            command["event"], tuple(command.get("args", [])), namespace=self.namespace, callback=acknowledge)

    def close(self):
        self.client.disconnect()


class RawWebSocket:
    """A WebSocket that sends whatever it is told to, valid or not."""

    def __init__(self, command):
        self.name = command["socket"]
        self.link = websocket.create_connection(
            command["url"], timeout=20, header=command.get("headers", {}), origin=command.get("origin"),
            suppress_origin="origin" not in command, skip_utf8_validation=True, enable_multithread=True)
        self.link.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while True:
                opcode, data = self.link.recv_data(control_frame=True)
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    record(socket=self.name, kind="text", text=data.decode("utf-8", "replace"))
                elif opcode == websocket.ABNF.OPCODE_BINARY:
                    record(socket=self.name, kind="binary", base64=base64.b64encode(data).decode())
                elif opcode == websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
                    record(socket=self.name, kind="close", code=code)
                    break
        except Exception as error:
            record(socket=self.name, kind="error", text=str(error))
        record(socket=self.name, kind="closed")

    def send(self, command):
        """Frames by hand: the library refuses to send what it would refuse to receive."""
        if "base64" in command:
            data = base64.b64decode(command["base64"])
        else:
            data = command["text"].encode()
        head = bytearray([command["fin"] << 7 | command["rsv1"] << 6 | command["opcode"]])
        masked = command["mask"] << 7
        if len(data) < 126:
            head.append(masked | len(data))
        elif len(data) < 1 << 16:
            head.append(masked | 126)
            head += len(data).to_bytes(2, "big")
        else:
            head.append(masked | 127)
            head += len(data).to_bytes(8, "big")
        if masked:
            mask = b"\x37\xfa\x21\x3d"
            head += mask
            repeated = mask * (len(data) // 4 + 1)
            data = (int.from_bytes(data, "big") ^ int.from_bytes(repeated[:len(data)], "big")).to_bytes(
                len(data), "big")
        self.link.sock.sendall(bytes(head) + data)

    def close(self):
        self.link.shutdown()


class RawTCP:
    """Bytes to and from the server."""

    def __init__(self, command):
        self.name = command["socket"]
        self.link = socket.create_connection((command["host"], command["port"]), timeout=20)
        self.link.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while data := self.link.recv(65536):
                record(socket=self.name, kind="bytes", text=data.decode("latin-1"))
        except OSError as error:
            record(socket=self.name, kind="error", text=str(error))
        record(socket=self.name, kind="closed")

    def send(self, command):
        if "base64" in command:
            self.link.sendall(base64.b64decode(command["base64"]))
        else:
            self.link.sendall(command["text"].encode("latin-1"))

    def close(self):
        self.link.close()


def request(command):
    connection = http.client.HTTPConnection(command["host"], command["port"], timeout=30)
    try:
        body = command.get("body")
        connection.request(
            command["method"], command["path"], body=None if body is None else body.encode(),
            headers=command.get("headers", {}))
        answer = connection.getresponse()
        return {
            "status": answer.status,
            "headers": [[name.lower(), value] for name, value in answer.getheaders()],
            "body": answer.read().decode("utf-8", "replace"),
        }
    finally:
        connection.close()


def sign(command):
    """A JSON web token, right or wrong, made by hand."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    if "key_file" in command:
        with open(command["key_file"], "rb") as file:
            key = file.read().removesuffix(b"\n")
    else:
        key = command["key"].encode()
    signed = ".".join(part(json.dumps(command[name]).encode()) for name in ("header", "claims"))
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(command["header"]["alg"], hashlib.sha256)
    if command["header"]["alg"].lower() == "none":
        return signed + "."
    return signed + "." + part(hmac.new(key, signed.encode(), digest).digest())


sockets = {}


def opened(kind):
    def open(command):
        sockets[command["socket"]] = kind(command)
        return None
    return open


# Those that wait for the other side get a thread of their own; the others are done in the order of the commands.
slow = {
    "connect": opened(StockSocket), "websocket": opened(RawWebSocket), "tcp": opened(RawTCP), "http": request,
}
quick = {
    "emit": lambda command: sockets[command["socket"]].emit(command),
    "send": lambda command: sockets[command["socket"]].send(command),
    "close": lambda command: sockets[command["socket"]].close(),
    "sign": sign,
    "connected": lambda command: sockets[command["socket"]].client.connected,
    "sid": lambda command: sockets[command["socket"]].client.get_sid(),
}


def run(function, command):
    try:
        record(reply=command["id"], value=function(command))
    except Exception as error:
        sentence = f"{type(error).__name__}: {error}"
        if name_of_socket := command.get("socket"):
            record(socket=name_of_socket, kind="error", text=f"{command['op']}: {sentence}")
        record(reply=command["id"], error=sentence)


for line in sys.stdin:
    command = json.loads(line)
    name = command["op"]
    if name in slow:
        threading.Thread(target=run, args=(slow[name], command), daemon=True).start()
    else:
        run(quick[name], command)

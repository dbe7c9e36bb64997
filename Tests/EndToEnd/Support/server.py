"""The independent server of the client's tests: python-socketio on aiohttp.

Its one argument is a JSON object: "transports", "ping_interval" and "ping_timeout" in whole seconds, "max_payload" in bytes,
and "sticky", with which a session's requests are answered only if they bring the cookie that its first answer set.

The first line on standard output is the port that it listens on. What it is asked to do comes as events:

echo ...        acknowledged with the arguments, and sent back as "echoed"
ask ...         sends "question" with the arguments and, once that is acknowledged, "answered" with the answer
count n         sends "number" with 0 to n - 1
whoami          acknowledged with the socket's id and transport, and what it gave as auth
requests        acknowledged with the HTTP requests so far, each as its method and transport
leave           disconnects the socket
hang_up         closes the Engine.IO session

A CONNECT whose auth has "refuse" is refused with that as the message, and "data" as the data. The program ends when its
standard input does.
"""

import asyncio
import json
import sys

import socketio
from aiohttp import web

options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
requests = []
cookie = "node"

server = socketio.AsyncServer(
    async_mode="aiohttp", async_handlers=False, namespaces=["/", "/chat", "/other"], cors_allowed_origins=[],
    transports=options.get("transports"), ping_interval=options.get("ping_interval", 25),
    ping_timeout=options.get("ping_timeout", 20), max_http_buffer_size=options.get("max_payload", 1000000))


@web.middleware
async def observe(request, handler):
    query = request.query
    requests.append([request.method, query.get("transport")])
    if options.get("sticky") and "sid" in query and request.cookies.get(cookie) != "a1":
        return web.json_response({"code": 1, "message": "Session ID unknown"}, status=400)
    response = await handler(request)
    if options.get("sticky") and "sid" not in query and query.get("transport") == "polling":
        response.set_cookie(cookie, "a1", path="/", httponly=True)
    return response


class Everything(socketio.AsyncNamespace):
    """The same in every namespace."""

    def __init__(self, name):
        super().__init__(name)
        self.auth = {}

    async def on_connect(self, sid, environ, auth):
        if auth and "refuse" in auth:
            raise socketio.exceptions.ConnectionRefusedError(auth["refuse"], *[auth[key] for key in ("data",) if key in auth])
        self.auth[sid] = auth

    async def on_echo(self, sid, *arguments):
        await self.emit("echoed", arguments, to=sid)
        return arguments

    async def on_ask(self, sid, *arguments):
        async def answered(*answer):
            await self.emit("answered", answer, to=sid)
        await self.emit("question", arguments, to=sid, callback=answered)

    async def on_count(self, sid, count):
        for number in range(count):
            await self.emit("number", number, to=sid)

    async def on_whoami(self, sid):
        return sid, server.transport(sid, namespace=self.namespace), self.auth.get(sid)

    async def on_requests(self, sid):
        return requests

    async def on_leave(self, sid):
        await self.disconnect(sid)

    async def on_hang_up(self, sid):
        await server.eio.disconnect(server.manager.eio_sid_from_sid(sid, self.namespace))


async def main():
    for name in ("/", "/chat", "/other"):
        server.register_namespace(Everything(name))
    application = web.Application(middlewares=[observe])
    server.attach(application)
    runner = web.AppRunner(application, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    # Long polls would be waited for.
    await asyncio.wait_for(server.shutdown(), 5)


asyncio.run(main())

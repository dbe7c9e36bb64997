"""A TCP proxy between a reader and the server, which does to connections what networks do."""

import asyncio
import socket
import struct
import threading


class Connection:
    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.moves = asyncio.Event()
        self.moves.set()

    def reset(self):
        """Both ends get a reset, and whatever was on its way is gone."""
        for writer in (self.client, self.server):
            link = writer.transport.get_extra_info("socket")
            if link is not None and link.fileno() >= 0:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.moves.set()


class Proxy:
    """One port for one reader. Its methods may be called from any thread."""

    loop = None
    # Of all proxies: tells of each new connection.
    arrivals = threading.Condition()

    def __init__(self, port):
        self.target = port
        self.connections = set()
        if Proxy.loop is None:
            Proxy.loop = asyncio.new_event_loop()
            threading.Thread(target=Proxy.loop.run_forever, daemon=True).start()
        self.port = self.run(self.listen())

    @staticmethod
    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, Proxy.loop).result()

    async def listen(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        link = socket.socket()
        # Small, so that a reader that takes nothing is soon felt by the server.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        link.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", self.target))
        except OSError:
            link.close()
            writer.transport.abort()
            return
        other_reader, other_writer = await asyncio.open_connection(sock=link)
        connection = Connection(writer, other_writer)
        self.connections.add(connection)
        with Proxy.arrivals:
            Proxy.arrivals.notify_all()
        try:
            await asyncio.gather(
                self.forward(connection, reader, other_writer), self.forward(connection, other_reader, writer))
        except (OSError, RuntimeError):
            # What breaks at one end breaks at the other.
            connection.reset()
        finally:
            self.connections.discard(connection)
            writer.close()
            other_writer.close()

    @staticmethod
    async def forward(connection, reader, writer):
        while data := await reader.read(1 << 16):
            await connection.moves.wait()
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    # What networks do.

    def reset(self):
        """Resets the connections that there are; how many they were."""
        async def work():
            connections = list(self.connections)
            for connection in connections:
                connection.reset()
            return len(connections)
        return self.run(work())

    def halve(self, seconds):
        """Both ends of the connections that there are stay open, and nothing passes, until they are cut off at last.

        Connections made meanwhile are good.
        """
        async def work():
            connections = list(self.connections)
            for connection in connections:
                connection.moves.clear()
            await asyncio.sleep(seconds)
            for connection in connections:
                connection.reset()
            return len(connections)
        return self.run(work())

    def hold(self, seconds):
        """Nothing passes for a while, and then everything does."""
        async def work():
            connections = list(self.connections)
            for connection in connections:
                connection.moves.clear()
            await asyncio.sleep(seconds)
            for connection in connections:
                connection.moves.set()
            return len(connections)
        return self.run(work())

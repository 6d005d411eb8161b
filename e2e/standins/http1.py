"""HTTP/1.1 over asyncio, as little as the stand-ins need: requests with a length or in chunks, connections that
stay open, answers in one piece or in chunks, and the wrong ones that a test asks for. Knows nothing of models."""

import asyncio
import json
import socket
from urllib.parse import urlsplit

LARGEST_BODY = 32 << 20


class Gone(Exception):
    """The caller has left."""


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        split = urlsplit(target)
        self.path, self.query = split.path, split.query

    def header(self, name, default=""):
        return next((value for key, value in self.headers if key == name), default)


class Reply:
    """What is written to one caller. Every write fails with `Gone` once the caller has left."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.begun, self.keep = reader, writer, False, True

    async def head(self, status, headers):
        self.begun = True
        lines = [f"HTTP/1.1 {status} Answer"] + [f"{key}: {value}" for key, value in headers]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def raw(self, data):
        if self.writer.is_closing() or self.reader.at_eof():
            raise Gone
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, OSError) as error:
            raise Gone from error

    async def whole(self, status, body, headers=(), kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        length = ("content-length", str(len(data)))
        await self.head(status, [("content-type", kind), length, *headers])
        await self.raw(data)

    async def stream(self, kind, headers=()):
        await self.head(200, [("content-type", kind), ("transfer-encoding", "chunked"), *headers])

    async def chunk(self, data):
        await self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self):
        await self.raw(b"0\r\n\r\n")

    def cut(self):
        """Ends the connection in the middle of whatever was said."""
        self.keep = False
        self.writer.close()


async def read_request(reader):
    line = await reader.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers = []
    while (line := (await reader.readline()).decode("latin-1").strip()):
        name, _, value = line.partition(":")
        headers.append((name.strip().lower(), value.strip()))
    request = Request(method, target, headers, b"")
    if request.header("expect").lower() == "100-continue":
        request.expects = True
    if "chunked" in request.header("transfer-encoding"):
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        request.body = b"".join(parts)
    elif length := int(request.header("content-length", "0")):
        if length > LARGEST_BODY:
            raise ValueError("the body is too large")
        request.body = await reader.readexactly(length)
    return request


async def serve(handle, host="127.0.0.1", port=0):
    """Serves until cancelled; `handle(request, reply)` answers each."""

    async def connection(reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while (request := await read_request(reader)) is not None:
                reply = Reply(reader, writer)
                await handle(request, reply)
                if not reply.keep or request.header("connection").lower() == "close":
                    break
        except (Gone, ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connection, host, port, limit=1 << 20, backlog=4096)

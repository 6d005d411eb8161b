"""The stand-ins on one port of loopback: `python -m standins [PORT]` prints its address.

The key is `KEY` below in each vendor's form. `GET /seen` tells what was received since `POST /forget`, and of each
whether the caller left before the end and how many pieces it got."""

import asyncio
import json
import sys

from . import anthropic, bedrock, openai
from .http1 import Gone, Reply, serve
from .minds import FIXED, PATIENCE_S, READING

KEY = "sk-stand-in"
ACCESS = ("AKIASTANDIN", "stand-in/secret")

SEEN = []


class Told(Reply):
    """A reply that plays what is wrong with the wire, and notes how far it came."""

    def __init__(self, reply, seen):
        super().__init__(reply.reader, reply.writer)
        self.seen, self.fault = seen, ""

    async def pieces(self, answer):
        for count, piece in enumerate(answer.pieces):
            if answer.pause_s:
                await self.left(answer.pause_s)
            if answer.wire == "hang-after-first" and count:
                await self.left(PATIENCE_S)
            if answer.wire == "garbage" and count == 2:
                await self.chunk(b"data: {\"choices\": [}\n\n\x00\xff\xfe garbage\n\n")
            if answer.wire == "cut" and count == 2:
                self.cut()
                raise Gone
            self.seen["pieces"] += 1
            yield piece

    async def left(self, seconds):
        """Waits that long, or until the caller leaves: nothing more may come on this connection meanwhile."""
        waiting = asyncio.ensure_future(self.reader.read(1))
        done, _ = await asyncio.wait({waiting}, timeout=seconds)
        if done:
            raise Gone
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    async def whole(self, status, body, headers=(), kind="application/json"):
        self.seen["status"] = status
        if self.fault == "garbage":
            return await super().whole(200, b"\x00\xff{not json", headers)
        if self.fault in ("lies-about-length", "cut"):
            data = json.dumps(body).encode()
            await self.head(200, [("content-type", kind), ("content-length", str(len(data) + 512))])
            await self.raw(data)
            return self.cut()
        await super().whole(status, body, headers, kind)

    async def stream(self, kind, headers=()):
        self.seen["status"] = 200
        if self.fault == "lies-about-length":
            # A length that the stream goes beyond.
            await self.head(200, [("content-type", kind), ("content-length", "64"), *headers])
            self.plain = True
            return
        await super().stream(kind, headers)

    plain = False
    streams = False

    async def chunk(self, data):
        await (self.raw(data) if self.plain else super().chunk(data))

    async def finish(self):
        if self.plain:
            return self.cut()
        await self.end()


async def answer(request, reply):
    path = request.path
    if path == "/seen":
        return await reply.whole(200, SEEN)
    if path == "/forget":
        SEEN.clear()
        return await reply.whole(200, {})
    dialect = anthropic if "/messages" in path else bedrock if path.startswith("/model/") else openai
    seen = {"path": path, "headers": dict(request.headers), "body": None, "status": 0, "pieces": 0, "left": False}
    seen["headers"].pop("authorization", None)
    SEEN.append(seen)
    told = Told(reply, seen)
    extra = bedrock.head if dialect is bedrock else lambda _: []
    try:
        secret = (*ACCESS, KEY) if dialect is bedrock else (KEY,)
        if not dialect.key_holds(request, *secret):
            return await told.whole(*dialect.fault("auth", "the key is wrong"), extra("auth"))
        try:
            body = json.loads(request.body) if request.body else {}
            seen["body"] = body
            await route(request, path, body, told)
        except (openai.Wrong, KeyError, TypeError, ValueError, AttributeError) as error:
            say = str(error) if isinstance(error, openai.Wrong) else f"the request is malformed: {error!r}"
            if told.begun:
                raise
            return await told.whole(*dialect.fault("bad", say), extra("bad"))
        if told.seen["status"] == 200 and told.streams:
            await told.finish()
    except Gone:
        seen["left"] = True
        raise
    finally:
        reply.keep = told.keep


async def route(request, path, body, told):
    name = str(body.get("model", "")) or path.split("/")[2] if path.startswith("/model/") else str(body.get("model", ""))
    wish = name.replace("%3A", ":").rsplit(":", 1)[-1]
    told.fault = wish if wish in ("garbage", "lies-about-length", "cut") else ""
    told.streams = bool(body.get("stream")) or path.endswith("/converse-stream")
    if wish == "hang":
        await told.left(PATIENCE_S)
    version = request.header("anthropic-version")
    match path.removeprefix("/v1").split("/"):
        case ["", "chat", "completions"]:
            await openai.chat(body, told)
        case ["", "responses"]:
            await openai.responses(body, told)
        case ["", "embeddings"]:
            await openai.embeddings(body, told)
        case ["", "models"]:
            await openai.models(told, [*FIXED, *READING])
        case ["", "messages"]:
            await anthropic.messages(body, version, told)
        case ["", "messages", "count_tokens"]:
            await anthropic.count(body, version, told)
        case ["", "model", model, "converse"]:
            await bedrock.converse(model, body, told, stream=False)
        case ["", "model", model, "converse-stream"]:
            await bedrock.converse(model, body, told, stream=True)
        case _:
            await told.whole(404, {"error": {"message": "no such path", "type": "invalid_request_error"}})


async def main():
    server = await serve(answer, port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""Anthropic's wire: messages, with their stream, and the count of tokens.

After https://platform.claude.com/docs/en/api: `input_tokens` leaves out what was read from or written to a cache;
usage in `message_delta` is cumulative; pings come anywhere; an error may follow a 200."""

import base64
import json

from .minds import SIGNATURE, Asked, Usage, think
from .openai import Wrong, data, halves

STATUS = {"rate": 429, "overloaded": 529, "bad": 400, "broken": 500, "missing": 404, "auth": 401}
NAME = {
    "rate": "rate_limit_error", "overloaded": "overloaded_error", "bad": "invalid_request_error",
    "broken": "api_error", "missing": "not_found_error", "auth": "authentication_error",
}
VERSIONS = ("2023-06-01", "2026-10-21")
STOP = {"end": "end_turn", "length": "max_tokens", "tools": "tool_use", "refused": "refusal"}


def fault(kind, say, _numeric=False):
    error = {"type": NAME[kind], "message": say}
    return STATUS[kind], {"type": "error", "error": error, "request_id": "req_standin"}


def key_holds(request, key):
    return key in (request.header("x-api-key"), request.header("authorization").removeprefix("Bearer "))


def blocks(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def result_text(content):
    return "".join(block["text"] for block in blocks(content or []) if block["type"] == "text")


def read(body, version, counts=False):
    if version not in VERSIONS:
        raise Wrong("anthropic-version: header is required" if not version else f"no version {version}")
    if not counts and not isinstance(body.get("max_tokens"), int):
        raise Wrong("max_tokens: Field required")
    if version == "2026-10-21" and {"temperature", "top_p", "top_k"} & body.keys():
        raise Wrong("temperature, top_p and top_k are not supported in this version")
    asked = Asked(body["model"], stream=bool(body.get("stream")), most=body.get("max_tokens"))
    asked.marks += "cache_control" in body
    for block in blocks(body.get("system") or []):
        text_holds(block)
        asked.system += block["text"]
        asked.marks += "cache_control" in block
    waiting = []
    for message in body["messages"]:
        parts = blocks(message["content"])
        if message["role"] not in ("user", "assistant"):
            raise Wrong(f"messages: no role {message['role']}")
        asked.turns += 1
        answered = [part["tool_use_id"] for part in parts if part["type"] == "tool_result"]
        if sorted(answered) != sorted(waiting):
            raise Wrong("each `tool_use` block must have a corresponding `tool_result` block in the next message")
        waiting = []
        texts = []
        for place, part in enumerate(parts):
            asked.marks += "cache_control" in part
            if part["type"] == "text":
                text_holds(part)
                texts.append(part["text"])
            elif part["type"] == "image":
                if part["source"]["type"] != "base64":
                    raise Wrong("only images within the request are taken")
                asked.images.append((part["source"]["media_type"], base64.b64decode(part["source"]["data"])))
            elif part["type"] == "tool_use":
                if not isinstance(part["input"], dict):
                    raise Wrong("tool_use.input: Input should be a valid dictionary")
                waiting.append(part["id"])
                asked.calls.append(part["id"])
            elif part["type"] == "tool_result":
                asked.results.append((part["tool_use_id"], result_text(part.get("content"))))
            elif part["type"] == "thinking":
                if place:
                    raise Wrong("thinking blocks must come first")
                if part["signature"] != SIGNATURE:
                    raise Wrong("Invalid `signature` in `thinking` block")
                asked.signatures.append(part["signature"])
        if message["role"] == "user" and texts:
            asked.texts.append("".join(texts))
    if waiting:
        raise Wrong("`tool_use` ids were found without `tool_result` blocks immediately after")
    asked.tools = [tool["name"] for tool in body.get("tools") or []]
    asked.marks += sum("cache_control" in tool for tool in body.get("tools") or [])
    if asked.calls and not asked.tools:
        raise Wrong("Requests which include `tool_use` or `tool_result` blocks must define tools")
    if asked.marks > 4:
        raise Wrong("A maximum of 4 blocks with cache_control may be provided")
    choice = body.get("tool_choice") or {}
    asked.choice = choice.get("name") or choice.get("type", "")
    form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    if form.get("type") == "json_schema":
        asked.schema = form["schema"]
    asked.temperature, asked.stops = body.get("temperature"), body.get("stop_sequences") or []
    return asked


def text_holds(block):
    if block["type"] == "text" and not block["text"].strip():
        raise Wrong("messages: text content blocks must be non-empty")


def usage_of(usage: Usage):
    return {
        "input_tokens": usage.input - usage.cached - usage.written, "output_tokens": usage.output,
        "cache_creation_input_tokens": usage.written, "cache_read_input_tokens": usage.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.written, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
    }


def content_of(answer):
    content = []
    if answer.thoughts:
        content.append({"type": "thinking", "thinking": "".join(answer.thoughts), "signature": SIGNATURE})
    if answer.pieces:
        content.append({"type": "text", "text": "".join(answer.pieces), "citations": None})
    for n, (name, arguments) in enumerate(answer.calls):
        content.append({"type": "tool_use", "id": f"toolu_{n}standin", "name": name, "input": arguments})
    return content


async def messages(body, version, reply):
    asked = read(body, version)
    answer = think(asked)
    ids = [("request-id", "req_standin")]
    if failed := answer.fault or (answer.late_fault if not asked.stream else None):
        status, error = fault(failed.kind, failed.say)
        return await reply.whole(status, error, ids + ([("retry-after", "1")] if failed.kind == "rate" else []))
    content, usage = content_of(answer), answer.usage or Usage(0, 0)
    message = {
        "id": "msg_standin", "type": "message", "role": "assistant", "model": asked.model, "content": content,
        "stop_reason": STOP[answer.stop], "stop_sequence": None, "usage": usage_of(usage),
    }
    if not asked.stream:
        return await reply.whole(200, message, ids)
    await reply.stream("text/event-stream", ids)

    async def event(kind, **fields):
        await reply.chunk(f"event: {kind}\n".encode() + data({"type": kind, **fields}))

    first = answer.early_usage or Usage(usage.input, 1, usage.cached, usage.written)
    begun = message | {"content": [], "stop_reason": None, "usage": usage_of(first)}
    await event("message_start", message=begun)
    await event("ping")
    for index, block in enumerate(content):
        if block["type"] == "text":
            await event("content_block_start", index=index, content_block={"type": "text", "text": ""})
            async for text in reply.pieces(answer):
                await event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})
            if answer.late_fault:
                error = {"type": NAME[answer.late_fault.kind], "message": answer.late_fault.say}
                return await event("error", error=error)
        elif block["type"] == "thinking":
            start = {"type": "thinking", "thinking": "", "signature": ""}
            await event("content_block_start", index=index, content_block=start)
            for thought in answer.thoughts:
                await event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": thought})
            await event("content_block_delta", index=index, delta={"type": "signature_delta", "signature": SIGNATURE})
        else:
            await event("content_block_start", index=index, content_block=block | {"input": {}})
            text = json.dumps(block["input"]) if block["input"] else ""
            for half in halves(text) if text else [""]:
                await event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": half})
        await event("ping")
        await event("content_block_stop", index=index)
    # The last usage repeats the input, which older servers leave out.
    told = usage_of(usage)
    del told["cache_creation"], told["service_tier"]
    if answer.told_once:
        told = {"output_tokens": usage.output}
    await event("message_delta", delta={"stop_reason": STOP[answer.stop], "stop_sequence": None}, usage=told)
    await event("message_stop")


async def count(body, version, reply):
    asked = read(body, version, counts=True)
    await reply.whole(200, {"input_tokens": 10 + sum(len(text) for text in asked.texts)})

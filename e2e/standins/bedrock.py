"""Bedrock's wire: Converse and ConverseStream, with SigV4 and binary event-stream frames.

After the API reference of the Bedrock runtime, "Signature Version 4" of the IAM documentation, and "Event stream
encoding" of Amazon Transcribe's: two lengths, a CRC of them, headers, payload, a CRC of all."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import struct
from urllib.parse import quote, unquote

from .minds import SIGNATURE, Asked, Usage, think
from .openai import Wrong, halves

STATUS = {"rate": 429, "overloaded": 503, "bad": 400, "broken": 500, "missing": 404, "auth": 403}
NAME = {
    "rate": "ThrottlingException", "overloaded": "ServiceUnavailableException", "bad": "ValidationException",
    "broken": "InternalServerException", "missing": "ResourceNotFoundException", "auth": "AccessDeniedException",
}
STOP = {"end": "end_turn", "length": "max_tokens", "tools": "tool_use", "refused": "content_filtered"}
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def fault(kind, say, _numeric=False):
    return STATUS[kind], {"message": say}


def head(kind):
    return [("x-amzn-errortype", NAME[kind]), ("x-amzn-requestid", "standin")]


def signed(method, target, headers, body, secret):
    """The signature that the secret gives, and what the request claims; None where it claims none."""
    values = {name: value for name, value in headers}
    claim = values.get("authorization", "")
    parts = dict(part.strip().split("=", 1) for part in claim.partition(" ")[2].split(",") if "=" in part)
    if not claim.startswith("AWS4-HMAC-SHA256 ") or not {"Credential", "SignedHeaders", "Signature"} <= parts.keys():
        return None
    key, date, region, service, _ = parts["Credential"].split("/")
    names = parts["SignedHeaders"].split(";")
    path, _, query = target.partition("?")
    canonical_path = quote(path, safe="/-_.~")
    canonical_query = "&".join(sorted(query.split("&"))) if query else ""
    lines = [method, canonical_path, canonical_query]
    lines += [f"{name}:{' '.join(values.get(name, '').split())}" for name in names]
    lines += ["", ";".join(names), values.get("x-amz-content-sha256", hashlib.sha256(body).hexdigest())]
    scope = f"{date}/{region}/{service}/aws4_request"
    stamp = values.get("x-amz-date", "")
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    secret = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    want = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
    covered = "host" in names and service == "bedrock" and stamp.startswith(date)
    return key, covered and hmac.compare_digest(want, parts["Signature"])


def key_holds(request, key, secret, bearer):
    """A signature, or an API key of Bedrock as a bearer."""
    if request.header("authorization") == f"Bearer {bearer}":
        return True
    claimed = signed(request.method, request.target, request.headers, request.body, secret)
    return claimed is not None and claimed == (key, True)


def frame(headers, payload):
    block = b"".join(
        struct.pack("!B", len(name)) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for name, value in headers
    )
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    start = prelude + struct.pack("!I", binascii.crc32(prelude)) + block + payload
    return start + struct.pack("!I", binascii.crc32(start))


def event(kind, value):
    payload = json.dumps(value, ensure_ascii=False).encode()
    return frame([(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")], payload)


def exception(kind, say):
    name = NAME[kind][0].lower() + NAME[kind][1:]
    names = [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")]
    return frame(names, json.dumps({"message": say}).encode())


def read(model, body, stream):
    asked = Asked(model, stream=stream)
    for block in body.get("system") or []:
        asked.marks += "cachePoint" in block
        if "text" in block:
            filled(block["text"])
            asked.system += block["text"]
    waiting, last = [], "assistant"
    for message in body["messages"]:
        if message["role"] == last:
            raise Wrong("roles must alternate between user and assistant")
        last = message["role"]
        asked.turns += 1
        answered = [part["toolResult"]["toolUseId"] for part in message["content"] if "toolResult" in part]
        if sorted(answered) != sorted(waiting):
            raise Wrong("Expected toolResult blocks for each toolUse of the previous turn")
        waiting, texts = [], []
        for part in message["content"]:
            if len(part) != 1:
                raise Wrong("a content block holds exactly one kind")
            asked.marks += "cachePoint" in part
            if "text" in part:
                filled(part["text"])
                texts.append(part["text"])
            elif "image" in part:
                image = part["image"]
                asked.images.append((f"image/{image['format']}", base64.b64decode(image["source"]["bytes"], validate=True)))
            elif "toolUse" in part:
                if not isinstance(part["toolUse"]["input"], dict) or not TOOL_NAME.fullmatch(part["toolUse"]["name"]):
                    raise Wrong("toolUse is malformed")
                waiting.append(part["toolUse"]["toolUseId"])
            elif "toolResult" in part:
                content = part["toolResult"]["content"]
                said = "".join(one.get("text") or json.dumps(one.get("json")) for one in content)
                asked.results.append((part["toolResult"]["toolUseId"], said))
            elif "reasoningContent" in part:
                if part["reasoningContent"]["reasoningText"].get("signature") != SIGNATURE:
                    raise Wrong("the signature of the reasoning does not hold")
                asked.signatures.append(SIGNATURE)
        asked.calls += waiting
        if last == "user" and texts:
            asked.texts.append("".join(texts))
    if last != "user" or waiting:
        raise Wrong("the conversation must end with a user message")
    config = body.get("toolConfig") or {}
    tools = config.get("tools") or []
    asked.tools = [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]
    asked.marks += sum("cachePoint" in tool for tool in tools)
    if any("json" not in tool["toolSpec"]["inputSchema"] for tool in tools if "toolSpec" in tool):
        raise Wrong("inputSchema has no json")
    if "toolConfig" in body and not asked.tools:
        raise Wrong("toolConfig.tools must hold at least one tool")
    if (asked.calls or asked.results) and not asked.tools:
        raise Wrong("The toolConfig field must be defined when using toolUse and toolResult content blocks")
    choice = config.get("toolChoice") or {}
    asked.choice = choice["tool"]["name"] if "tool" in choice else next(iter(choice), "")
    form = (body.get("outputConfig") or {}).get("textFormat") or {}
    if form.get("type") == "json_schema":
        asked.schema = json.loads(form["structure"]["jsonSchema"]["schema"])
    limits = body.get("inferenceConfig") or {}
    asked.most, asked.temperature = limits.get("maxTokens"), limits.get("temperature")
    asked.stops = limits.get("stopSequences") or []
    return asked


def filled(text):
    if not text.strip():
        raise Wrong("The text field in the ContentBlock object is blank")


def usage_of(usage: Usage):
    return {
        "inputTokens": usage.input - usage.cached - usage.written, "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output, "cacheReadInputTokens": usage.cached,
        "cacheWriteInputTokens": usage.written,
    }


def content_of(answer):
    content = []
    if answer.thoughts:
        content.append({"reasoningContent": {"reasoningText": {"text": "".join(answer.thoughts), "signature": SIGNATURE}}})
    if answer.pieces:
        content.append({"text": "".join(answer.pieces)})
    for n, (name, arguments) in enumerate(answer.calls):
        content.append({"toolUse": {"toolUseId": f"tooluse_{n}standin", "name": name, "input": arguments}})
    return content


async def converse(model, body, reply, stream):
    asked = read(unquote(model), body, stream)
    answer = think(asked)
    if failed := answer.fault or (answer.late_fault if not stream else None):
        status, error = fault(failed.kind, failed.say)
        return await reply.whole(status, error, head(failed.kind))
    content, usage = content_of(answer), answer.usage or Usage(0, 0)
    if not stream:
        whole = {
            "output": {"message": {"role": "assistant", "content": content}}, "stopReason": STOP[answer.stop],
            "usage": usage_of(usage), "metrics": {"latencyMs": 1},
        }
        return await reply.whole(200, whole, [("x-amzn-requestid", "standin")])
    await reply.stream("application/vnd.amazon.eventstream", [("x-amzn-requestid", "standin")])
    await reply.chunk(event("messageStart", {"role": "assistant"}))
    for index, block in enumerate(content):
        place = {"contentBlockIndex": index}
        if "text" in block:
            async for text in reply.pieces(answer):
                await reply.chunk(event("contentBlockDelta", place | {"delta": {"text": text}}))
            if answer.late_fault:
                return await reply.chunk(exception(answer.late_fault.kind, answer.late_fault.say))
        elif "reasoningContent" in block:
            for thought in answer.thoughts:
                await reply.chunk(event("contentBlockDelta", place | {"delta": {"reasoningContent": {"text": thought}}}))
            signature = {"reasoningContent": {"signature": SIGNATURE}}
            await reply.chunk(event("contentBlockDelta", place | {"delta": signature}))
        else:
            use = block["toolUse"]
            start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
            await reply.chunk(event("contentBlockStart", place | {"start": start}))
            for half in halves(json.dumps(use["input"])) if use["input"] else [""]:
                await reply.chunk(event("contentBlockDelta", place | {"delta": {"toolUse": {"input": half}}}))
        await reply.chunk(event("contentBlockStop", place))
    await reply.chunk(event("messageStop", {"stopReason": STOP[answer.stop]}))
    if answer.usage:
        await reply.chunk(event("metadata", {"usage": usage_of(usage), "metrics": {"latencyMs": 1}}))

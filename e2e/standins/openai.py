"""OpenAI's wire: chat completions, responses, embeddings, models.

After https://developers.openai.com/api/reference: chat streams end with a chunk of usage, if asked for, whose
`choices` are empty, and `[DONE]`; events of responses are named and numbered and end without a mark."""

import base64
import json
import struct

from .minds import Answer, Asked, Fault, Usage, think

STATUS = {"rate": 429, "overloaded": 503, "bad": 400, "broken": 500, "missing": 404, "auth": 401}
CODE = {
    "rate": ("rate_limit_error", "rate_limit_exceeded"), "overloaded": ("server_error", "overloaded"),
    "bad": ("invalid_request_error", "invalid_value"), "broken": ("server_error", None),
    "missing": ("invalid_request_error", "model_not_found"), "auth": ("invalid_request_error", "invalid_api_key"),
}


class Wrong(Exception):
    """The request is not what the vendor takes."""


def fault(kind, say, numeric=False):
    what, code = CODE[kind]
    status = STATUS[kind]
    return status, {"error": {"message": say, "type": what, "param": None, "code": status if numeric else code}}


def retry(kind):
    return [("retry-after", "1")] if kind in ("rate", "overloaded") else []


def key_holds(request, key):
    return request.header("authorization") == f"Bearer {key}"


def image(url):
    head, _, data = url.partition(",")
    if not head.startswith("data:"):
        raise Wrong("only images within the request are taken")
    return head[5:].split(";")[0], base64.b64decode(data, validate=True)


def read_chat(body):
    asked = Asked(body["model"], stream=bool(body.get("stream")))
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise Wrong("messages are missing")
    waiting = []
    for message in body["messages"]:
        role, content = message["role"], message.get("content")
        if waiting and role != "tool":
            raise Wrong("an assistant message with 'tool_calls' must be followed by tool messages responding to each")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        texts = [part["text"] for part in parts if part["type"] in ("text", "refusal")]
        asked.marks += sum("cache_control" in part for part in parts)
        if role in ("system", "developer"):
            asked.system += "".join(texts)
        elif role == "tool":
            if message["tool_call_id"] not in waiting:
                raise Wrong("messages with role 'tool' must follow their tool_calls")
            waiting.remove(message["tool_call_id"])
            asked.results.append((message["tool_call_id"], "".join(texts)))
        elif role == "user":
            asked.texts.append("".join(texts))
            asked.images += [image(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
        elif role == "assistant":
            for call in message.get("tool_calls") or []:
                json.loads(call["function"]["arguments"])
                waiting.append(call["id"])
            asked.calls += waiting
        else:
            raise Wrong(f"no role {role}")
        asked.turns += role in ("user", "assistant")
    if waiting:
        raise Wrong("tool_call_ids did not have response messages")
    asked.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice") or ""
    asked.choice = choice["function"]["name"] if isinstance(choice, dict) else choice.replace("required", "any")
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        asked.schema = form["json_schema"]["schema"]
    asked.most = body.get("max_completion_tokens", body.get("max_tokens"))
    asked.temperature = body.get("temperature")
    stops = body.get("stop") or []
    asked.stops = [stops] if isinstance(stops, str) else stops
    asked.usage_asked = bool((body.get("stream_options") or {}).get("include_usage"))
    if body.get("stream_options") is not None and not asked.stream:
        raise Wrong("The 'stream_options' parameter is only allowed when 'stream' is enabled")
    return asked


def chat_usage(usage: Usage):
    return {
        "prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.written, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoned, "audio_tokens": 0},
    }


FINISH = {"end": "stop", "length": "length", "tools": "tool_calls", "refused": "content_filter"}


def tool_calls(answer: Answer):
    return [
        {"id": f"call_{n}standin", "type": "function", "function": {"name": name, "arguments": arguments_text(arguments)}}
        for n, (name, arguments) in enumerate(answer.calls)
    ]


def arguments_text(arguments):
    return json.dumps(arguments) if arguments else ""


async def chat(body, reply):
    asked = read_chat(body)
    answer = think(asked)
    if answer.fault:
        status, error = fault(answer.fault.kind, answer.fault.say, answer.numeric)
        return await reply.whole(status, error, retry(answer.fault.kind))
    head = {"id": "chatcmpl-standin", "created": 1764547200, "model": asked.model}
    if not asked.stream:
        message = {"role": "assistant", "content": "".join(answer.pieces) or None, "refusal": None}
        if answer.calls:
            message["tool_calls"] = tool_calls(answer)
        if answer.thoughts:
            message["reasoning_content"] = "".join(answer.thoughts)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[answer.stop]}
        whole = head | {"object": "chat.completion", "choices": [choice]}
        if answer.usage:
            whole["usage"] = chat_usage(answer.usage)
        if answer.late_fault:
            status, error = fault(answer.late_fault.kind, answer.late_fault.say)
            return await reply.whole(status, error)
        return await reply.whole(200, whole)
    chunk = head | {"object": "chat.completion.chunk"}

    def piece(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return data(chunk | {"choices": [choice]} | ({"usage": None} if asked.usage_asked else {}))

    await reply.stream("text/event-stream")
    await reply.chunk(piece({"role": "assistant", "content": "", "refusal": None}))
    for thought in answer.thoughts:
        await reply.chunk(piece({"reasoning_content": thought}))
    # A comment, as servers send them to keep a connection open.
    await reply.chunk(b": keep-alive\n\n")
    async for text in reply.pieces(answer):
        await reply.chunk(piece({"content": text}))
    if answer.late_fault:
        return await reply.chunk(data(fault(answer.late_fault.kind, answer.late_fault.say)[1]))
    for index, call in enumerate(tool_calls(answer)):
        text = call["function"]["arguments"]
        call["function"]["arguments"] = ""
        await reply.chunk(piece({"tool_calls": [call | {"index": index}]}))
        for half in halves(text):
            await reply.chunk(piece({"tool_calls": [{"index": index, "function": {"arguments": half}}]}))
    await reply.chunk(piece({}, FINISH[answer.stop]))
    if asked.usage_asked:
        for usage in filter(None, (answer.early_usage, answer.usage)):
            await reply.chunk(data(chunk | {"choices": [], "usage": chat_usage(usage)}))
    await reply.chunk(b"data: [DONE]\n\n")


def data(value):
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def halves(text):
    return filter(None, (text[: len(text) // 2], text[len(text) // 2 :]))


def read_responses(body):
    asked = Asked(body["model"], stream=bool(body.get("stream")), system=body.get("instructions") or "")
    items = body.get("input")
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    waiting = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            content = item["content"]
            parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            texts = "".join(part["text"] for part in parts if part["type"] in ("input_text", "output_text"))
            if item["role"] in ("system", "developer"):
                asked.system += texts
                continue
            asked.turns += 1
            if item["role"] == "user":
                asked.texts.append(texts)
                asked.images += [image(part["image_url"]) for part in parts if part["type"] == "input_image"]
        elif kind == "function_call":
            json.loads(item["arguments"])
            waiting.append(item["call_id"])
            asked.calls.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in waiting:
                raise Wrong("No tool call found for function call output")
            waiting.remove(item["call_id"])
            asked.results.append((item["call_id"], item["output"]))
        elif kind == "reasoning" and item.get("encrypted_content"):
            asked.signatures.append(item["encrypted_content"])
    if waiting:
        raise Wrong("No tool output found for function call")
    asked.tools = [tool["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    choice = body.get("tool_choice") or ""
    asked.choice = choice["name"] if isinstance(choice, dict) else choice.replace("required", "any")
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        asked.schema = form["schema"]
    asked.most, asked.temperature = body.get("max_output_tokens"), body.get("temperature")
    return asked


async def responses(body, reply):
    asked = read_responses(body)
    answer = think(asked)
    if answer.fault:
        status, error = fault(answer.fault.kind, answer.fault.say, answer.numeric)
        return await reply.whole(status, error, retry(answer.fault.kind))
    output = []
    if answer.thoughts:
        summary = [{"type": "summary_text", "text": "".join(answer.thoughts)}]
        output.append({"id": "rs_standin", "type": "reasoning", "summary": summary, "status": "completed"})
    if answer.pieces:
        part = {"type": "output_text", "text": "".join(answer.pieces), "annotations": [], "logprobs": []}
        message = {"id": "msg_standin", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        output.append(message)
    for n, call in enumerate(tool_calls(answer)):
        item = {"id": f"fc_{n}standin", "type": "function_call", "status": "completed", "call_id": call["id"]}
        output.append(item | call["function"])
    usage = answer.usage and {
        "input_tokens": answer.usage.input, "output_tokens": answer.usage.output,
        "total_tokens": answer.usage.input + answer.usage.output,
        "input_tokens_details": {"cached_tokens": answer.usage.cached, "cache_write_tokens": answer.usage.written},
        "output_tokens_details": {"reasoning_tokens": answer.usage.reasoned},
    }
    short = answer.stop in ("length", "refused")
    why = {"length": "max_output_tokens", "refused": "content_filter"}.get(answer.stop)
    response = {
        "id": "resp_standin", "object": "response", "created_at": 1764547200, "model": asked.model, "error": None,
        "status": "incomplete" if short else "completed", "incomplete_details": {"reason": why} if short else None,
        "instructions": body.get("instructions"), "metadata": {}, "output": output, "parallel_tool_calls": True,
        "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto", "tools": body.get("tools") or [], "usage": usage,
    }
    if not asked.stream:
        if answer.late_fault:
            status, error = fault(answer.late_fault.kind, answer.late_fault.say)
            return await reply.whole(status, error)
        return await reply.whole(200, response)
    await reply.stream("text/event-stream")
    number = iter(range(1 << 30))

    async def event(kind, **fields):
        value = {"type": kind, **fields, "sequence_number": next(number)}
        await reply.chunk(f"event: {kind}\n".encode() + data(value))

    begun = response | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    await event("response.created", response=begun)
    await event("response.in_progress", response=begun)
    for index, item in enumerate(output):
        if item["type"] == "message":
            place = {"item_id": item["id"], "output_index": index, "content_index": 0}
            await event("response.output_item.added", output_index=index, item=item | {"status": "in_progress", "content": []})
            empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            await event("response.content_part.added", **place, part=empty)
            async for text in reply.pieces(answer):
                await event("response.output_text.delta", **place, delta=text, logprobs=[])
            if answer.late_fault:
                return await event("error", code="server_error", message=answer.late_fault.say, param=None)
            text = item["content"][0]["text"]
            await event("response.output_text.done", **place, text=text, logprobs=[])
            await event("response.content_part.done", **place, part=item["content"][0])
        elif item["type"] == "reasoning":
            place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
            await event("response.output_item.added", output_index=index, item=item | {"status": "in_progress", "summary": []})
            await event("response.reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""})
            for thought in answer.thoughts:
                await event("response.reasoning_summary_text.delta", **place, delta=thought)
            await event("response.reasoning_summary_text.done", **place, text=item["summary"][0]["text"])
            await event("response.reasoning_summary_part.done", **place, part=item["summary"][0])
        else:
            place = {"item_id": item["id"], "output_index": index}
            await event("response.output_item.added", output_index=index, item=item | {"status": "in_progress", "arguments": ""})
            for half in halves(item["arguments"]):
                await event("response.function_call_arguments.delta", **place, delta=half)
            await event("response.function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"])
        await event("response.output_item.done", output_index=index, item=item)
    await event("response.incomplete" if short else "response.completed", response=response)


async def embeddings(body, reply):
    given = body["input"]
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        given = [given]
    if not given:
        raise Wrong("input is empty")
    if think(Asked(body["model"])).fault:
        return await reply.whole(*fault("missing", f"there is no model {body['model']}"))
    rows, tokens = [], 0
    for index, one in enumerate(given):
        tokens += max(1, len(one) // 4) if isinstance(one, str) else len(one)
        vector = [float(index), 0.5, -0.25, float(len(one))]
        packed = base64.b64encode(struct.pack("<4f", *vector)).decode()
        value = packed if body.get("encoding_format") == "base64" else vector
        rows.append({"object": "embedding", "index": index, "embedding": value})
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    await reply.whole(200, {"object": "list", "data": rows, "model": body["model"], "usage": usage})


async def models(reply, names):
    rows = [{"id": name, "object": "model", "created": 1764547200, "owned_by": "standin"} for name in names]
    await reply.whole(200, {"object": "list", "data": rows})

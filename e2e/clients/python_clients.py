"""Adapters of the clients in Python: OpenAI's, Anthropic's, boto3, LangChain's. Each is named in `CLIENTS`."""

import base64
import json
import warnings

from .neutral import answer, failed, usage

warnings.filterwarnings("ignore")
STOPS = {
    "stop": "end", "length": "length", "tool_calls": "tools", "content_filter": "refused", "end_turn": "end",
    "max_tokens": "length", "tool_use": "tools", "refusal": "refused", "content_filtered": "refused",
    "completed": "end", "max_output_tokens": "length", "stop_sequence": "end",
}
PATIENCE_S = 60


def stop(word):
    return STOPS.get(word, word)


def caught(ask):
    """An error of the client is an answer like others; one of the adapter is not."""

    def asked(self, question):
        try:
            return ask(self, question)
        except self.errors as error:
            return failed(error)

    return asked


def parsed(text):
    return json.loads(text) if text else {}


class OpenAIChat:
    name, dialect = "openai-python chat", "chat"

    def __init__(self, base, key, **_):
        import httpx
        import httpx2
        import openai

        self.errors = (openai.OpenAIError, httpx.HTTPError, httpx2.HTTPError, json.JSONDecodeError)
        self.client = openai.OpenAI(base_url=base + "/v1", api_key=key, max_retries=0, timeout=PATIENCE_S)
        self.version = openai.__version__

    def messages(self, q):
        messages = [{"role": "system", "content": q["system"]}] if q["system"] else []
        for turn in q["turns"]:
            if "user" in turn:
                content = turn["user"]
                if turn.get("image"):
                    url = "data:image/png;base64," + turn["image"]
                    content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": url}}]
                messages.append({"role": "user", "content": content})
            elif "assistant" in turn:
                messages.append(turn["assistant"]["raw"])
            else:
                for call, text in turn["results"]:
                    messages.append({"role": "tool", "tool_call_id": call, "content": text})
        return messages

    def arguments(self, q):
        args = {"model": q["model"], "messages": self.messages(q), "max_tokens": q["most"]}
        if q["tools"]:
            args["tools"] = [
                {"type": "function", "function": {"name": t["name"], "description": t["description"], "parameters": t["schema"]}}
                for t in q["tools"]
            ]
        if q["choice"]:
            args["tool_choice"] = {"type": "function", "function": {"name": q["choice"]}}
        if q["schema"]:
            form = {"name": "answer", "schema": q["schema"], "strict": True}
            args["response_format"] = {"type": "json_schema", "json_schema": form}
        if q["temperature"] is not None:
            args["temperature"] = q["temperature"]
        if q["stops"]:
            args["stop"] = q["stops"]
        return args

    @caught
    def ask(self, q):
        args = self.arguments(q)
        if q["stream"]:
            return self.read(q, args)
        got = self.client.chat.completions.create(**args)
        choice = got.choices[0]
        calls = [
            {"id": call.id, "name": call.function.name, "args": parsed(call.function.arguments)}
            for call in choice.message.tool_calls or []
        ]
        raw = choice.message.model_dump(exclude_none=True)
        raw.pop("reasoning_content", None)
        return answer(
            text=choice.message.content or "", calls=calls, stop=stop(choice.finish_reason), usage=self.usage(got.usage), raw=raw
        )

    def read(self, q, args):
        with self.client.chat.completions.create(**args, stream=True, stream_options={"include_usage": True}) as stream:
            text, calls, why, told, pieces = "", {}, None, None, 0
            for chunk in stream:
                told = chunk.usage or told
                for choice in chunk.choices:
                    if choice.delta.content:
                        text, pieces = text + choice.delta.content, pieces + 1
                        if pieces == q["leave_after"]:
                            return answer(text=text, pieces=pieces)
                    for call in choice.delta.tool_calls or []:
                        at = calls.setdefault(call.index, {"id": "", "name": "", "args": ""})
                        at["id"] += call.id or ""
                        at["name"] += call.function.name or ""
                        at["args"] += call.function.arguments or ""
                    why = choice.finish_reason or why
        called = [at | {"args": parsed(at["args"])} for _, at in sorted(calls.items())]
        raw = {"role": "assistant", "content": text or None}
        if called:
            raw["tool_calls"] = [
                {"id": at["id"], "type": "function", "function": {"name": at["name"], "arguments": json.dumps(at["args"])}}
                for at in called
            ]
        return answer(text=text, calls=called, stop=stop(why), usage=self.usage(told), pieces=pieces, raw=raw)

    def usage(self, told):
        if told is None:
            return None
        details = told.prompt_tokens_details
        cached, written = (details.cached_tokens, details.cache_write_tokens) if details else (0, 0)
        return usage(told.prompt_tokens, told.completion_tokens, cached, written)

    def models(self):
        return [model.id for model in self.client.models.list()]

    def embed(self, model, given, form):
        args = {"model": model, "input": given} | ({"encoding_format": form} if form else {})
        got = self.client.embeddings.create(**args)
        return [row.embedding for row in got.data], got.usage.prompt_tokens

    def bare_stream(self, model):
        """A stream whose usage nobody asked for: how many chunks have no choices."""
        messages = [{"role": "user", "content": "Hello?"}]
        chunks = list(self.client.chat.completions.create(model=model, messages=messages, stream=True, max_tokens=64))
        return sum(not chunk.choices for chunk in chunks), sum(chunk.usage is not None for chunk in chunks)


class OpenAIResponses(OpenAIChat):
    name, dialect = "openai-python responses", "responses"

    def arguments(self, q):
        items = []
        for turn in q["turns"]:
            if "user" in turn:
                content = [{"type": "input_text", "text": turn["user"]}]
                if turn.get("image"):
                    content.append({"type": "input_image", "image_url": "data:image/png;base64," + turn["image"], "detail": "auto"})
                items.append({"role": "user", "content": content})
            elif "assistant" in turn:
                items += turn["assistant"]["raw"]
            else:
                items += [{"type": "function_call_output", "call_id": call, "output": text} for call, text in turn["results"]]
        args = {"model": q["model"], "input": items, "max_output_tokens": q["most"], "store": False}
        if q["system"]:
            args["instructions"] = q["system"]
        if q["tools"]:
            args["tools"] = [
                {"type": "function", "name": t["name"], "description": t["description"], "parameters": t["schema"], "strict": False}
                for t in q["tools"]
            ]
        if q["choice"]:
            args["tool_choice"] = {"type": "function", "name": q["choice"]}
        if q["schema"]:
            args["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": q["schema"], "strict": True}}
        if q["temperature"] is not None:
            args["temperature"] = q["temperature"]
        return args

    @caught
    def ask(self, q):
        args, pieces = self.arguments(q), 0
        if not q["stream"]:
            return self.whole(self.client.responses.create(**args), 0)
        with self.client.responses.create(**args, stream=True) as stream:
            for event in stream:
                pieces += event.type == "response.output_text.delta"
                if pieces and pieces == q["leave_after"]:
                    return answer(pieces=pieces)
                if event.type in ("response.failed", "error"):
                    said = getattr(event, "message", None) or event.response.error.message
                    return answer(error={"kind": event.type, "status": None, "say": said})
                if event.type in ("response.completed", "response.incomplete"):
                    return self.whole(event.response, pieces)
        return answer(error={"kind": "Endless", "status": None, "say": "the stream ended without its last event"})

    def whole(self, got, pieces):
        calls = [
            {"id": item.call_id, "name": item.name, "args": parsed(item.arguments)}
            for item in got.output
            if item.type == "function_call"
        ]
        why = got.incomplete_details.reason if got.incomplete_details else got.status
        told = got.usage and usage(
            got.usage.input_tokens, got.usage.output_tokens, got.usage.input_tokens_details.cached_tokens,
            getattr(got.usage.input_tokens_details, "cache_write_tokens", 0),
        )
        raw = [item.model_dump(exclude_none=True, by_alias=True) for item in got.output if item.type != "reasoning"]
        for item in raw:
            item.pop("parsed_arguments", None)
            for part in item.get("content") or []:
                part.pop("parsed", None)
        end = "tools" if calls else stop(why)
        return answer(text=got.output_text, calls=calls, stop=end, usage=told, pieces=pieces, raw=raw)


class Anthropic:
    name, dialect = "anthropic-python", "messages"

    def __init__(self, base, key, **_):
        import anthropic
        import httpx
        import httpx2

        # A stream of the vendor's own dialect passes untouched: what is broken in it, the client has to notice.
        self.errors = (anthropic.AnthropicError, httpx.HTTPError, httpx2.HTTPError, json.JSONDecodeError, UnicodeDecodeError)
        self.client = anthropic.Anthropic(base_url=base, api_key=key, max_retries=0, timeout=PATIENCE_S)
        self.version = anthropic.__version__

    def arguments(self, q):
        messages = []
        for turn in q["turns"]:
            if "user" in turn:
                content = [{"type": "text", "text": turn["user"]}]
                if turn.get("image"):
                    source = {"type": "base64", "media_type": "image/png", "data": turn["image"]}
                    content.append({"type": "image", "source": source})
                messages.append({"role": "user", "content": content})
            elif "assistant" in turn:
                messages.append({"role": "assistant", "content": turn["assistant"]["raw"]})
            else:
                results = [{"type": "tool_result", "tool_use_id": call, "content": text} for call, text in turn["results"]]
                messages.append({"role": "user", "content": results})
        args = {"model": q["model"], "messages": messages, "max_tokens": q["most"]}
        if q["system"]:
            args["system"] = [{"type": "text", "text": q["system"]}]
            if q["mark"]:
                args["system"][0]["cache_control"] = {"type": "ephemeral"}
        if q["tools"]:
            args["tools"] = [
                {"name": t["name"], "description": t["description"], "input_schema": t["schema"]} for t in q["tools"]
            ]
        if q["choice"]:
            args["tool_choice"] = {"type": "tool", "name": q["choice"]}
        if q["schema"]:
            args["output_config"] = {"format": {"type": "json_schema", "schema": q["schema"]}}
        if q["thinking"]:
            args["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if q["stops"]:
            args["stop_sequences"] = q["stops"]
        return args

    @caught
    def ask(self, q):
        args, pieces = self.arguments(q), 0
        if not q["stream"]:
            return self.whole(self.client.messages.create(**args), 0)
        with self.client.messages.stream(**args) as stream:
            for event in stream:
                pieces += event.type == "content_block_delta" and event.delta.type == "text_delta"
                if pieces and pieces == q["leave_after"]:
                    return answer(pieces=pieces)
            return self.whole(stream.get_final_message(), pieces)

    def whole(self, got, pieces):
        raw, calls, text, thoughts = [], [], "", ""
        for block in got.content:
            if block.type == "text":
                text += block.text
                raw.append({"type": "text", "text": block.text})
            elif block.type == "tool_use":
                calls.append({"id": block.id, "name": block.name, "args": block.input})
                raw.append({"type": "tool_use", "id": block.id, "name": block.name, "input": block.input})
            elif block.type == "thinking":
                thoughts += block.thinking
                raw.append({"type": "thinking", "thinking": block.thinking, "signature": block.signature})
        told, u = None, got.usage
        if u:
            read, written = u.cache_read_input_tokens or 0, u.cache_creation_input_tokens or 0
            told = usage(u.input_tokens + read + written, u.output_tokens, read, written)
        return answer(text=text, calls=calls, stop=stop(got.stop_reason), usage=told, pieces=pieces, raw=raw, thoughts=thoughts)

    def count(self, model):
        return self.client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "Hello?"}]).input_tokens


class Boto3:
    name, dialect = "boto3", "converse"

    def __init__(self, base, key, access=None, **_):
        import boto3
        import botocore.exceptions
        from botocore.config import Config
        from botocore.eventstream import ParserError

        self.errors = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, ParserError)
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=PATIENCE_S)
        self.client = boto3.client(
            "bedrock-runtime", endpoint_url=base, region_name="us-east-1", config=once,
            aws_access_key_id=access[0], aws_secret_access_key=access[1],
        )
        self.version = boto3.__version__

    def arguments(self, q):
        messages = []
        for turn in q["turns"]:
            if "user" in turn:
                content = [{"text": turn["user"]}]
                if turn.get("image"):
                    content.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(turn["image"])}}})
                messages.append({"role": "user", "content": content})
            elif "assistant" in turn:
                messages.append({"role": "assistant", "content": turn["assistant"]["raw"]})
            else:
                content = [{"toolResult": {"toolUseId": call, "content": [{"text": text}]}} for call, text in turn["results"]]
                messages.append({"role": "user", "content": content})
        limits = {"maxTokens": q["most"]}
        if q["temperature"] is not None:
            limits["temperature"] = q["temperature"]
        if q["stops"]:
            limits["stopSequences"] = q["stops"]
        args = {"modelId": q["model"], "messages": messages, "inferenceConfig": limits}
        if q["system"]:
            args["system"] = [{"text": q["system"]}] + ([{"cachePoint": {"type": "default"}}] if q["mark"] else [])
        if q["tools"]:
            specs = [
                {"toolSpec": {"name": t["name"], "description": t["description"], "inputSchema": {"json": t["schema"]}}}
                for t in q["tools"]
            ]
            args["toolConfig"] = {"tools": specs} | ({"toolChoice": {"tool": {"name": q["choice"]}}} if q["choice"] else {})
        if q["schema"]:
            form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(q["schema"]), "name": "answer"}}}
            args["outputConfig"] = {"textFormat": form}
        if q["thinking"]:
            args["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
        return args

    @caught
    def ask(self, q):
        args = self.arguments(q)
        if q["stream"]:
            return self.read(q, args)
        got = self.client.converse(**args)
        return self.whole(got["output"]["message"]["content"], got["stopReason"], got["usage"], 0)

    def read(self, q, args):
        got = self.client.converse_stream(**args)
        blocks, why, told, pieces = {}, None, None, 0
        for event in got["stream"]:
            if "contentBlockStart" in event:
                use = event["contentBlockStart"]["start"]["toolUse"]
                blocks[event["contentBlockStart"]["contentBlockIndex"]] = {"toolUse": dict(use, input="")}
            elif "contentBlockDelta" in event:
                at, delta = event["contentBlockDelta"]["contentBlockIndex"], event["contentBlockDelta"]["delta"]
                if "text" in delta:
                    pieces += 1
                    blocks.setdefault(at, {"text": ""})["text"] += delta["text"]
                    if pieces == q["leave_after"]:
                        got["stream"].close()
                        return answer(pieces=pieces)
                elif "toolUse" in delta:
                    blocks[at]["toolUse"]["input"] += delta["toolUse"]["input"]
                elif "reasoningContent" in delta:
                    block = blocks.setdefault(at, {"reasoningContent": {"reasoningText": {"text": ""}}})
                    thought = block["reasoningContent"]["reasoningText"]
                    thought["text"] += delta["reasoningContent"].get("text", "")
                    if "signature" in delta["reasoningContent"]:
                        thought["signature"] = delta["reasoningContent"]["signature"]
            elif "messageStop" in event:
                why = event["messageStop"]["stopReason"]
            elif "metadata" in event:
                told = event["metadata"]["usage"]
        content = [block for _, block in sorted(blocks.items())]
        for block in content:
            if "toolUse" in block:
                block["toolUse"]["input"] = parsed(block["toolUse"]["input"])
        return self.whole(content, why, told, pieces)

    def whole(self, content, why, told, pieces):
        calls = [
            {"id": block["toolUse"]["toolUseId"], "name": block["toolUse"]["name"], "args": block["toolUse"]["input"]}
            for block in content
            if "toolUse" in block
        ]
        text = "".join(block.get("text", "") for block in content)
        thoughts = "".join(
            block["reasoningContent"]["reasoningText"]["text"] for block in content if "reasoningContent" in block
        )
        if told:
            read, written = told.get("cacheReadInputTokens", 0), told.get("cacheWriteInputTokens", 0)
            told = usage(told["inputTokens"] + read + written, told["outputTokens"], read, written)
        return answer(text=text, calls=calls, stop=stop(why), usage=told, pieces=pieces, raw=content, thoughts=thoughts)


class LangChain:
    """A chat model of LangChain; which one, the classes below say."""

    marks = False

    def messages(self, q):
        from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

        messages = [SystemMessage(q["system"])] if q["system"] else []
        for turn in q["turns"]:
            if "user" in turn:
                content = turn["user"]
                if turn.get("image"):
                    image = {"type": "image", "base64": turn["image"], "mime_type": "image/png"}
                    content = [{"type": "text", "text": content}, image]
                messages.append(HumanMessage(content))
            elif "assistant" in turn:
                messages.append(turn["assistant"]["raw"])
            else:
                messages += [ToolMessage(text, tool_call_id=call) for call, text in turn["results"]]
        return messages

    @caught
    def ask(self, q):
        model = self.model(q)
        if q["schema"]:
            schema = {"title": "answer", "description": "The answer."} | q["schema"]
            got = model.with_structured_output(schema, method="json_schema").invoke(self.messages(q))
            return answer(text=json.dumps(got))
        if q["tools"]:
            tools = [
                {"type": "function", "function": {"name": t["name"], "description": t["description"], "parameters": t["schema"]}}
                for t in q["tools"]
            ]
            model = model.bind_tools(tools, **({"tool_choice": q["choice"]} if q["choice"] else {}))
        if not q["stream"]:
            return self.whole(model.invoke(self.messages(q)), 0)
        whole, pieces = None, 0
        for chunk in model.stream(self.messages(q)):
            whole = chunk if whole is None else whole + chunk
            pieces += bool(chunk.text)
            if pieces and pieces == q["leave_after"]:
                return answer(pieces=pieces)
        return self.whole(whole, pieces)

    def whole(self, got, pieces):
        calls = [{"id": call["id"], "name": call["name"], "args": call["args"]} for call in got.tool_calls]
        told = got.usage_metadata
        if told:
            details = told.get("input_token_details") or {}
            written = details.get("cache_creation") or details.get("ephemeral_5m_input_tokens") or 0
            told = usage(told["input_tokens"], told["output_tokens"], details.get("cache_read"), written)
        meta = got.response_metadata
        why = meta.get("finish_reason") or meta.get("stop_reason") or meta.get("stopReason")
        if isinstance(why, list):
            why = why[-1]
        return answer(text=str(got.text), calls=calls, stop=stop(why), usage=told, pieces=pieces, raw=got)


class LangChainOpenAI(LangChain):
    name, dialect = "langchain-openai", "chat"

    def __init__(self, base, key, **_):
        import httpx
        import langchain_openai
        import openai

        self.errors = (openai.OpenAIError, httpx.HTTPError, json.JSONDecodeError)
        self.base, self.key, self.made = base, key, langchain_openai

    version = "1.7.4"

    def model(self, q):
        more = {"temperature": q["temperature"]} if q["temperature"] is not None else {}
        return self.made.ChatOpenAI(
            model=q["model"], base_url=self.base + "/v1", api_key=self.key, max_retries=0, timeout=PATIENCE_S,
            max_tokens=q["most"], stream_usage=True, use_responses_api=False, stop=q["stops"] or None, **more,
        )

    def embed_texts(self, model, texts):
        made = self.made.OpenAIEmbeddings(
            model=model, base_url=self.base + "/v1", api_key=self.key, max_retries=0, check_embedding_ctx_length=False
        )
        return made.embed_documents(texts)


class LangChainAnthropic(LangChain):
    name, dialect, version = "langchain-anthropic", "messages", "1.7.10"

    def __init__(self, base, key, **_):
        import anthropic
        import httpx

        self.errors = (anthropic.AnthropicError, httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError)
        self.base, self.key = base, key

    def model(self, q):
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(
            model=q["model"], base_url=self.base, api_key=self.key, max_retries=0, timeout=PATIENCE_S,
            max_tokens=q["most"], stop=q["stops"] or None,
        )


class LangChainBedrock(LangChain):
    name, dialect, version = "langchain-aws converse", "converse", "1.9.1"

    def __init__(self, base, key, access=None, **_):
        self.boto = Boto3(base, key, access)
        self.errors = self.boto.errors

    def model(self, q):
        from langchain_aws import ChatBedrockConverse

        more = {"temperature": q["temperature"]} if q["temperature"] is not None else {}
        return ChatBedrockConverse(
            model=q["model"], client=self.boto.client, bedrock_client=self.boto.client, provider="anthropic",
            region_name="us-east-1", max_tokens=q["most"], stop_sequences=q["stops"] or None,
            disable_streaming=False, supports_tool_choice_values=("auto", "any", "tool"), **more,
        )


CLIENTS = [OpenAIChat, OpenAIResponses, Anthropic, Boto3, LangChainOpenAI, LangChainAnthropic, LangChainBedrock]

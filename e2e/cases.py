"""What must hold for every client: one table. A case asks through a client and says what came back wrong.

A case is tried where `where` allows it: by dialect of the client, and by what answers (`Far`): a stand-in asked
directly, or through the realm as one of three kinds of provider; or a real model, of which only the form is known."""

import base64
import json
import struct
import zlib
from dataclasses import dataclass

from clients.neutral import question
from standins.minds import CITY, HELLO, THOUGHT

ALL_TEXT = "".join(HELLO)


@dataclass(frozen=True)
class Far:
    """What answers."""

    kind: str  # openai, anthropic, bedrock: what the provider speaks; live: a real model
    through: bool  # the realm stands between
    key_wrong: object = None  # makes a client with a wrong key of one
    live: str = ""  # the name of a real model

    def model(self, name, client=None):
        """How a model of a stand-in is called; one that fails is deployed for each client by itself, since a
        deployment that fails is left alone for a while."""
        if not self.through:
            return name
        return f"{self.kind}:{slug(client)}:{name}" if client else f"{self.kind}:{name}"


# Models that fail or refuse.
FAULTS = (
    "rate-limited", "overloaded", "bad-request", "numeric-error-code", "error-after-200", "garbage", "lies-about-length", "cut",
)


def slug(client):
    return client.name.replace(" ", "-")


CASES = []


def case(dialects="chat responses messages converse", kinds="openai anthropic bedrock", only=lambda client, far: True):
    def kept(check):
        CASES.append((check.__name__, dialects.split(), kinds.split(), only, check))
        return check

    return kept


def wanted(client, far):
    """The cases of a client and what answers."""
    return [
        (name, check)
        for name, dialects, kinds, only, check in CASES
        if client.dialect in dialects and far.kind in kinds and only(client, far)
    ]


class Wrong(AssertionError):
    pass


def same(what, got, want):
    if got != want:
        raise Wrong(f"{what}: got {got!r}, expected {want!r}")


def answered(got):
    if got["error"]:
        raise Wrong(f"an error came instead of an answer: {got['error']}")
    return got


def png():
    """The smallest picture: one red point."""

    def chunk(kind, data):
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    head = struct.pack("!IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


WEATHER = {
    "name": "get_weather", "description": "The weather of a city",
    "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
}
CLOCK = {"name": "clock", "description": "The time", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}
FORM = {
    "type": "object", "properties": {"city": {"type": "string"}, "bridges": {"type": "integer"}},
    "required": ["city", "bridges"], "additionalProperties": False,
}


def used(got, input, output, cached=0):
    told = got["usage"] or {}
    same("usage", {k: told.get(k) for k in ("input", "output", "cached")}, {"input": input, "output": output, "cached": cached})


def sees(client, far, **more):
    """What the stand-in says that it was asked."""
    got = answered(client.ask(question(far.model("sees"), **more)))
    return json.loads(got["text"])


@case()
def text(client, far):
    got = answered(client.ask(question(far.model("ok"))))
    same("text", got["text"], ALL_TEXT)
    same("stop", got["stop"], "end")
    used(got, 11, 7)


@case()
def stream(client, far):
    got = answered(client.ask(question(far.model("ok"), stream=True)))
    same("text", got["text"], ALL_TEXT)
    same("stop", got["stop"], "end")
    same("pieces", got["pieces"], len(HELLO))
    used(got, 11, 7)


@case()
def fifty_pieces(client, far):
    got = answered(client.ask(question(far.model("fifty"), stream=True)))
    same("text", got["text"], "token " * 50)
    same("pieces", got["pieces"], 50)


@case()
def system_and_limits(client, far):
    warm = {} if client.dialect == "messages" else {"temperature": 0.5}
    seen = sees(client, far, system="Be brief.", most=64, user="Where?", **warm)
    same("system", seen["system"], "Be brief.")
    same("texts", seen["texts"], ["Where?"])
    same("most", seen["most"], 64)
    same("temperature", seen["temperature"], 0.5 if warm else None)


@case("chat messages converse")
def stop_sequences(client, far):
    same("stops", sees(client, far, stops=["END"])["stops"], ["END"])


@case()
def turns(client, far):
    first = answered(client.ask(question(far.model("ok"))))
    talk = [{"user": "One?"}, {"assistant": first}, {"user": "Two?"}]
    seen = sees(client, far, turns=talk)
    same("texts", seen["texts"], ["One?", "Two?"])
    same("turns", seen["turns"], 3)


def round_of_tools(client, far, model, cities, streamed):
    ask = {"tools": [WEATHER], "stream": streamed}
    got = answered(client.ask(question(far.model(model), user="Weather?", **ask)))
    same("stop", got["stop"], "tools")
    same("calls", [(c["name"], c["args"]) for c in got["calls"]], [("get_weather", {"city": city}) for city in cities])
    ids = [call["id"] for call in got["calls"]]
    same("ids differ", len(set(ids)), len(cities))
    results = [[id, f"rain in {city}"] for id, city in zip(ids, cities)]
    talk = [{"user": "Weather?"}, {"assistant": got}, {"results": results}]
    then = answered(client.ask(question(far.model(model), turns=talk, **ask)))
    same("text", then["text"], "The tools said: " + "; ".join(f"rain in {city}" for city in cities))


@case()
def tools(client, far):
    round_of_tools(client, far, "tools", ["Venice"], False)


@case()
def tools_streamed(client, far):
    round_of_tools(client, far, "tools", ["Venice"], True)


@case()
def parallel_tools(client, far):
    round_of_tools(client, far, "parallel-tools", ["Venice", "Turin"], False)


@case()
def parallel_tools_streamed(client, far):
    round_of_tools(client, far, "parallel-tools", ["Venice", "Turin"], True)


@case()
def tool_without_arguments(client, far):
    for streamed in (False, True):
        got = answered(client.ask(question(far.model("bare-tool"), tools=[CLOCK], stream=streamed)))
        same("calls", [(c["name"], c["args"]) for c in got["calls"]], [("clock", {})])


@case()
def forced_tool(client, far):
    got = answered(client.ask(question(far.model("chooses"), tools=[WEATHER, CLOCK], choice="clock")))
    same("calls", [(call["name"], call["args"]) for call in got["calls"]], [("clock", {})])


@case()
def structured(client, far):
    got = answered(client.ask(question(far.model("structured"), schema=FORM)))
    same("answer", json.loads(got["text"]), CITY)


@case()
def cached_prompt(client, far):
    for streamed in (False, True):
        got = answered(client.ask(question(far.model("cached"), stream=streamed)))
        used(got, 1000, 7, 800)


@case()
def image(client, far):
    size = len(base64.b64decode(png()))
    same("images", sees(client, far, user="What is it?", image=png())["images"], [["image/png", size]])


@case("messages converse", kinds="anthropic bedrock", only=lambda client, far: not client.name.startswith(("langchain", "ai-sdk bedrock")))
def thinking(client, far):
    for streamed in (False, True):
        ask = {"stream": streamed, "thinking": True, "most": 2048}
        got = answered(client.ask(question(far.model("thinks"), **ask)))
        same("thoughts", got["thoughts"], "".join(THOUGHT))
        same("text", got["text"], ALL_TEXT)
        talk = [{"user": "Hello?"}, {"assistant": got}, {"user": "Again?"}]
        then = answered(client.ask(question(far.model("thinks"), turns=talk, **ask)))
        same("replayed", then["text"], "signature kept")


@case()
def thoughts_are_no_text(client, far):
    for streamed in (False, True):
        got = answered(client.ask(question(far.model("thinks"), stream=streamed)))
        same("text", got["text"], ALL_TEXT)


@case("messages converse", kinds="anthropic bedrock", only=lambda client, far: not client.name.startswith(("langchain", "ai-sdk")))
def cache_mark(client, far):
    same("marks", sees(client, far, system="Be brief.", mark=True)["marks"], 1)


@case()
def cut_at_the_limit(client, far):
    for streamed in (False, True):
        got = answered(client.ask(question(far.model("short"), most=3, stream=streamed)))
        same("stop", got["stop"], "length")


@case("chat messages converse")
def refusal(client, far):
    same("stop", answered(client.ask(question(far.model("refuses"))))["stop"], "refused")


@case("chat responses", only=lambda client, far: client.name in ("openai-python chat", "openai-node chat") or client.name == "ai-sdk openai chat", kinds="openai")
def embeddings(client, far):
    texts = ["one", "three"]
    want = [[0.0, 0.5, -0.25, 3.0], [1.0, 0.5, -0.25, 5.0]]
    forms = [None] if client.name.startswith("ai-sdk") else [None, "float", "base64"]
    for form in forms:
        got, tokens = client.embed(far.model("ok"), texts, form)
        if isinstance(got[0], str):
            got = [list(struct.unpack("<4f", base64.b64decode(row))) for row in got]
        same(f"embeddings {form}", got, want)
        same("tokens", tokens, 2)
    if not client.name.startswith("ai-sdk"):
        got, tokens = client.embed(far.model("ok"), [[1, 2, 3], [4]], None)
        same("token arrays", [row[3] for row in got], [3.0, 1.0])
        same("tokens", tokens, 4)


@case("chat", only=lambda client, far: client.name == "langchain-openai", kinds="openai")
def embeddings_of_langchain(client, far):
    same("embeddings", [row[3] for row in client.embed_texts(far.model("ok"), ["one", "three"])], [3.0, 5.0])


@case("chat", only=lambda client, far: client.name.startswith("openai-"))
def models(client, far):
    if far.model("ok") not in client.models():
        raise Wrong(f"{far.model('ok')} is not listed")


@case("messages", kinds="anthropic", only=lambda client, far: client.name.startswith("anthropic-"))
def count_tokens(client, far):
    same("tokens", client.count(far.model("ok")), 16)


@case("chat", only=lambda client, far: client.name == "openai-python chat")
def usage_only_if_asked(client, far):
    same("chunks without choices, with usage", client.bare_stream(far.model("ok")), (0, 0))


def refused(got, statuses, kinds=None):
    error = got["error"]
    if not error:
        raise Wrong(f"an answer came instead of an error: {got['text'][:80]!r}")
    if statuses and error["status"] not in statuses:
        raise Wrong(f"status {error['status']}, expected one of {statuses}: {error}")
    if kinds and not any(kind in error["kind"] for kind in kinds) and not error["kind"].startswith(("AI_", "APICall")):
        raise Wrong(f"{error['kind']}, expected one of {kinds}: {error}")


@case()
def error_rate_limited(client, far):
    for streamed in (False, True):
        got = client.ask(question(far.model("rate-limited", client), stream=streamed))
        refused(got, [429], ["RateLimit", "Throttling"])


@case()
def error_overloaded(client, far):
    # Bedrock does not tell too many callers from a server that is down, and so nobody behind it can.
    status = 529 if client.dialect == "messages" and far.kind != "bedrock" else 503
    got = client.ask(question(far.model("overloaded", client)))
    refused(got, [status], ["Overloaded", "InternalServer", "ServiceUnavailable", "APIError"])


@case()
def error_bad_request(client, far):
    refused(client.ask(question(far.model("bad-request", client))), [400], ["BadRequest", "Validation", "InvalidRequest"])


@case()
def error_with_a_number_for_its_code(client, far):
    refused(client.ask(question(far.model("numeric-error-code", client))), [400], ["BadRequest", "Validation", "InvalidRequest"])


@case()
def error_unknown_model(client, far):
    refused(client.ask(question(far.model("no-such-model"))), [404], ["NotFound"])


@case()
def error_wrong_key(client, far):
    got = far.key_wrong(client).ask(question(far.model("ok")))
    statuses = [401, 403] if client.dialect == "converse" else [401]
    refused(got, statuses, ["Authentication", "AccessDenied", "UnrecognizedClient", "InvalidSignature"])


@case()
def error_after_200(client, far):
    refused(client.ask(question(far.model("error-after-200", client), stream=True)), None)


# What is asked directly shows what each client itself makes of a broken wire; that is not for us to judge.
@case(only=lambda client, far: far.through)
def broken_wires(client, far):
    for name in ("garbage", "lies-about-length", "cut"):
        for streamed in (False, True):
            if name == "lies-about-length" and streamed and far.kind == "bedrock":
                continue
            got = client.ask(question(far.model(name, client), stream=streamed))
            # What is no event of a stream is left out where a stream is translated, if the rest of it is whole.
            if name == "garbage" and streamed and not got["error"] and got["text"] == ALL_TEXT:
                continue
            try:
                refused(got, None if streamed else [500, 502, 503, 504, 424])
            except Wrong as wrong:
                raise Wrong(f"{name}{' streamed' if streamed else ''}: {wrong}") from None


@case()
def usage_that_is_missing_or_goes_back(client, far):
    """Nothing breaks; what is charged is looked at in the ledger."""
    for name in ("no-usage", "usage-backwards"):
        for streamed in (False, True):
            got = client.ask(question(far.model(name), stream=streamed))
            same(f"{name} text", answered(got)["text"], ALL_TEXT)


# LangChain's own client for Anthropic reads the last usage only.
@case("messages", kinds="anthropic", only=lambda client, far: not client.name.startswith("langchain"))
def usage_told_once(client, far):
    used(answered(client.ask(question(far.model("usage-once"), stream=True))), 11, 7)


@case()
def leaves(client, far):
    got = answered(client.ask(question(far.model("slow"), stream=True, leave_after=3, most=600)))
    same("pieces", got["pieces"], 3)


# Of a real model: only the form.


@case(kinds="live")
def live_text(client, far):
    got = answered(client.ask(question(far.live, user="Say hello.", most=24, temperature=cold(client))))
    spoke(got)


@case(kinds="live")
def live_stream(client, far):
    got = answered(client.ask(question(far.live, user="Count to ten.", most=24, stream=True, temperature=cold(client))))
    spoke(got)
    if got["pieces"] < 2:
        raise Wrong(f"{got['pieces']} pieces of a stream")


@case(kinds="live")
def live_limit(client, far):
    got = answered(client.ask(question(far.live, user="Write a long story about Venice.", most=8)))
    same("stop", got["stop"], "length")
    if not 1 <= got["usage"]["output"] <= 9:
        raise Wrong(f"usage {got['usage']} of at most 8 tokens")


# The AI SDK's providers for Anthropic and Bedrock ask by a tool, for models that they do not know: too much for a small one.
@case(kinds="live", only=lambda client, far: client.name not in ("ai-sdk anthropic", "ai-sdk bedrock"))
def live_structured(client, far):
    user = "Venice has 438 bridges. Give city and bridges as JSON."
    got = answered(client.ask(question(far.live, user=user, schema=FORM, most=96)))
    said = json.loads(got["text"])
    same("fields", sorted(said), ["bridges", "city"])
    same("types", [type(said["bridges"]), type(said["city"])], [int, str])


@case(kinds="live", only=lambda client, far: not client.name.startswith("langchain"))
def live_cached_prompt(client, far):
    long = "The Rialto is the oldest of the bridges of Venice. " * 24
    ask = question(far.live, system=long, user="Where is it?", most=8)
    answered(client.ask(ask))
    again = answered(client.ask(ask))["usage"]
    if not 0 < again["cached"] < again["input"]:
        raise Wrong(f"usage of a repeated prompt: {again}")


@case("chat messages converse", kinds="live", only=lambda client, far: far.through)
def live_leaves(client, far):
    ask = question(far.live, user="Write a long story about Venice.", most=400, stream=True, leave_after=3)
    same("pieces", answered(client.ask(ask))["pieces"], 3)


@case(kinds="live", only=lambda client, far: far.key_wrong)
def live_wrong_key(client, far):
    refused(far.key_wrong(client).ask(question(far.live)), [401, 403])


def cold(client):
    return None if client.dialect == "messages" else 0.0


def spoke(got):
    told = got["usage"] or {}
    if not got["text"].strip():
        raise Wrong("no text")
    if not (told.get("input", 0) > 0 and told.get("output", 0) > 0):
        raise Wrong(f"usage {told}")
    if got["stop"] not in ("end", "length"):
        raise Wrong(f"stop {got['stop']}")

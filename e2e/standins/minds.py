"""What a stand-in answers, by the name of the model, in no vendor's words.

A wire module reads a request into `Asked` and writes an `Answer` in its dialect. Nothing here knows a dialect."""

import json
from dataclasses import dataclass, field

# Characters of one to four bytes, so that a stream that is cut between bytes shows.
HELLO = ["Hello", " from", " the stand-in", ": Grüße aus Venedig", " 水の都 🌉"]
THOUGHT = ["I weigh", " the request."]
SIGNATURE = "RXF0YW5kLWluIHNpZ25hdHVyZSArLz0="
CITY = {"city": "Venice", "bridges": 438}
PATIENCE_S = 3600


@dataclass
class Asked:
    """A request as far as answers depend on it."""

    model: str
    stream: bool = False
    system: str = ""
    texts: list = field(default_factory=list)  # of the user, in their order
    turns: int = 0
    images: list = field(default_factory=list)  # (media type, bytes)
    marks: int = 0  # marks for the cache of prompts
    tools: list = field(default_factory=list)  # names
    choice: str = ""  # auto, any, none or the name of a tool
    results: list = field(default_factory=list)  # (id, text), of tools
    calls: list = field(default_factory=list)  # ids of calls in the history
    signatures: list = field(default_factory=list)  # of thoughts in the history
    schema: dict | None = None  # for the answer
    most: int | None = None  # tokens of output
    temperature: float | None = None
    stops: list = field(default_factory=list)
    usage_asked: bool = True  # whether the stream is to tell the usage

    def summary(self):
        return {
            "system": self.system, "texts": self.texts, "turns": self.turns,
            "images": [[kind, len(data)] for kind, data in self.images], "marks": self.marks,
            "tools": self.tools, "choice": self.choice, "results": [text for _, text in self.results],
            "schema": bool(self.schema), "most": self.most, "temperature": self.temperature, "stops": self.stops,
        }


@dataclass
class Usage:
    """Tokens; the input holds what was cached and written, the output what was reasoned."""

    input: int = 11
    output: int = 7
    cached: int = 0
    written: int = 0
    reasoned: int = 0


@dataclass
class Fault:
    """An error: its kind in no vendor's words, and what is said."""

    kind: str  # rate, overloaded, bad, broken, missing, auth, slow
    say: str


@dataclass
class Answer:
    thoughts: list = field(default_factory=list)
    pieces: list = field(default_factory=list)
    calls: list = field(default_factory=list)  # (name, arguments)
    stop: str = "end"  # end, length, tools, refused
    usage: Usage | None = field(default_factory=Usage)
    fault: Fault | None = None  # instead of an answer
    late_fault: Fault | None = None  # after the first pieces
    pause_s: float = 0.0  # before each piece
    told_once: bool = False  # the input of the usage comes at the beginning only, where a dialect has that
    wire: str = ""  # a fault of the wire itself: hang, hang-after-first, garbage, lies-about-length, cut
    early_usage: Usage | None = None  # told before the last one
    numeric: bool = False  # errors carry a number for a code


LIMITED = {"count": 0}


def think(asked):
    """The answer to a request."""
    name = asked.model.rsplit(":", 1)[-1]
    if answer := FIXED.get(name):
        return answer()
    if name in READING:
        return READING[name](asked)
    return Answer(fault=Fault("missing", f"there is no model {asked.model}"))


def _flaky():
    LIMITED["count"] += 1
    if LIMITED["count"] % 2:
        return Answer(fault=Fault("rate", "every second request is too much"))
    return Answer(pieces=HELLO)


def _sees(asked):
    return Answer(pieces=[json.dumps(asked.summary(), ensure_ascii=False)])


def _tools(asked, count):
    if asked.results:
        said = "; ".join(text for _, text in asked.results)
        return Answer(pieces=["The tools said: ", said])
    if not asked.tools:
        return Answer(pieces=["no tools"])
    cities = ["Venice", "Turin"][:count]
    return Answer(pieces=["I ask."], calls=[(asked.tools[0], {"city": city}) for city in cities], stop="tools")


def _bare(asked):
    """A call without arguments, which some wires give as an empty text."""
    return Answer(calls=[(asked.tools[0], {})], stop="tools") if asked.tools else Answer(pieces=["no tools"])


def _chooses(asked):
    """Calls the tool that must be called."""
    if asked.choice not in asked.tools:
        return Answer(pieces=["no choice"])
    return Answer(calls=[(asked.choice, {})], stop="tools")


def _form(asked):
    """In the form of the schema; some clients ask for it by a tool that must be called."""
    if asked.schema:
        return Answer(pieces=[json.dumps(CITY)])
    if asked.choice == "any" or asked.choice in asked.tools:
        return Answer(calls=[(asked.tools[0], CITY)], stop="tools")
    return Answer(pieces=["no schema"])


def _thinks(asked):
    if asked.signatures:
        return Answer(pieces=["signature kept" if SIGNATURE in asked.signatures else "signature changed"])
    return Answer(thoughts=THOUGHT, pieces=HELLO, usage=Usage(output=12, reasoned=5))


def _short(asked):
    most = asked.most or len(HELLO)
    return Answer(pieces=HELLO[:most], stop="length" if most < len(HELLO) else "end", usage=Usage(output=min(most, 7)))


FIXED = {
    "ok": lambda: Answer(pieces=HELLO),
    "fifty": lambda: Answer(pieces=["token "] * 50, usage=Usage(output=50)),
    "slow": lambda: Answer(pieces=["token "] * 500, pause_s=0.02, usage=Usage(output=500)),
    "hang": lambda: Answer(wire="hang"),
    "hang-after-first": lambda: Answer(pieces=HELLO, wire="hang-after-first"),
    "garbage": lambda: Answer(pieces=HELLO, wire="garbage"),
    "lies-about-length": lambda: Answer(pieces=HELLO, wire="lies-about-length"),
    "cut": lambda: Answer(pieces=HELLO, wire="cut"),
    "error-after-200": lambda: Answer(pieces=HELLO, late_fault=Fault("overloaded", "too many want this model")),
    "rate-limited": lambda: Answer(fault=Fault("rate", "slow down")),
    "sometimes-limited": _flaky,
    "overloaded": lambda: Answer(fault=Fault("overloaded", "too many want this model")),
    "bad-request": lambda: Answer(fault=Fault("bad", "the request is wrong")),
    "broken": lambda: Answer(fault=Fault("broken", "something broke")),
    "numeric-error-code": lambda: Answer(fault=Fault("bad", "the request is wrong"), numeric=True),
    "no-usage": lambda: Answer(pieces=HELLO, usage=None),
    "usage-once": lambda: Answer(pieces=HELLO, told_once=True),
    "usage-backwards": lambda: Answer(pieces=HELLO, early_usage=Usage(input=30, output=2), usage=Usage()),
    "cached": lambda: Answer(pieces=HELLO, usage=Usage(input=1000, output=7, cached=800, written=100)),
    "refuses": lambda: Answer(pieces=["I will not."], stop="refused"),
}
READING = {
    "sees": _sees,
    "tools": lambda asked: _tools(asked, 1),
    "parallel-tools": lambda asked: _tools(asked, 2),
    "bare-tool": _bare,
    "chooses": _chooses,
    "structured": _form,
    "thinks": _thinks,
    "short": _short,
}

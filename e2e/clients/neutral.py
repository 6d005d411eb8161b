"""What every client is asked and gives back, in no client's words: the table of cases is written once over this.

A question is a dictionary, so that the clients in Node read the same. An adapter adds nothing to what its client
does: it names arguments and reads fields."""

QUESTION = {
    "model": "", "stream": False, "system": None, "most": 256, "temperature": None, "stops": [],
    "mark": False,  # mark the system's text for the cache of prompts
    "thinking": False,
    "turns": [],  # {"user": text, "image": base64 or None}, {"assistant": an answer}, {"results": [[id, text]]}
    "tools": [],  # {"name", "description", "schema"}
    "choice": None,  # the name of the tool that must be called
    "schema": None,  # of the answer
    "leave_after": None,  # pieces after which the client goes away
}


def question(model, **more):
    turns = more.pop("turns", None) or [{"user": more.pop("user", "Hello?"), "image": more.pop("image", None)}]
    return QUESTION | {"model": model, "turns": turns} | more


def answer(**fields):
    """An answer; `usage.input` holds what was cached and written, whatever the client's words say."""
    empty = {"text": "", "calls": [], "stop": None, "usage": None, "pieces": 0, "thoughts": "", "raw": None, "error": None}
    return empty | fields


def usage(input, output, cached=0, written=0):
    return {"input": input, "output": output, "cached": cached or 0, "written": written or 0}


def failed(error):
    """What a client raised: its class, and the status where there is one."""
    status = getattr(error, "status_code", None)
    if status is None and isinstance(said := getattr(error, "response", None), dict):
        status = said.get("ResponseMetadata", {}).get("HTTPStatusCode")
    kind = type(error).__name__
    if isinstance(said := getattr(error, "response", None), dict):
        kind = said.get("Error", {}).get("Code", kind)
    return answer(error={"kind": kind, "status": status, "say": str(error)[:400]})

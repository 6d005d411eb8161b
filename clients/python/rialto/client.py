"""How requests are sent and answers are read. What there is to ask for is in api.py.

Nothing is retried but a stream that broke: it goes on behind the last event that was read.
"""

from __future__ import annotations

import copy
import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Iterator, Optional, TypeVar
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from typing_extensions import Self

    from . import types as t

T = TypeVar("T")

# What breaks a connection while an answer is read.
_BROKEN = (OSError, http.client.HTTPException)
# How long to wait before a broken stream is asked for again, in seconds: at first, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


class Refused(Exception):
    """The realm understood and refused. `code` is stable; `hint` says what to do next."""

    def __init__(self, problem: t.Problem) -> None:
        self.problem = problem
        self.code: str = problem["code"]
        self.status: int = problem["status"]
        self.title: str = problem["title"]
        self.detail: str = problem.get("detail", "")
        self.hint: str = problem["hint"]
        self.position: Optional[int] = problem.get("position")
        said = f"{self.title}: {self.detail}" if self.detail else self.title
        super().__init__(f"{self.code} {said} ({self.hint})" if self.hint else f"{self.code} {said}")


class Unreachable(Exception):
    """There was no answer, or not one of a realm. Whether the realm did what was asked is not known:
    ask again with the same key."""


def new_key(name: Optional[str] = None) -> str:
    """A new idempotency key: the time, and a name of your own or a random one. Keep it until the answer
    is there: the same operation with the same key is carried out once."""
    return f"{int(time.time())}.{name or uuid.uuid4().hex}"


def part(value: Any) -> str:
    """A value as a part of a path."""
    return quote(str(value), safe="@")


@dataclass
class Page(Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: Optional[str]
    position: int


class Pages(Generic[T]):
    """A list. Iterating over it reads page after page; `page` reads one."""

    def __init__(self, client: Base, path: str, asked: dict[str, Any], rows: str, ask: bool) -> None:
        self._client, self._path, self._asked, self._rows, self._ask = client, path, asked, rows, ask

    def page(self) -> Page[T]:
        """The page at the cursor that was named, or the first."""
        return self._read(self._asked.get("cursor"))

    def __iter__(self) -> Iterator[T]:
        page = self.page()
        yield from page.items
        while page.next_cursor is not None:
            page = self._read(page.next_cursor)
            yield from page.items

    def _read(self, cursor: Optional[str]) -> Page[T]:
        asked = {**self._asked, "cursor": cursor}
        answer = self._client._json("POST" if self._ask else "GET", self._path, asked)
        return Page(answer[self._rows], answer.get("next_cursor"), answer["position"])


class Events(Generic[T]):
    """Events as they come, for as long as they are iterated over: `{"event": kind, "data": …}`.

    A connection that breaks is made anew behind the last event. Keep `last_event_id` to go on later.
    What ends the stream for good is raised as `Refused`.
    """

    def __init__(self, client: Base, path: str, asked: dict[str, Any], last_event_id: Optional[str]) -> None:
        self._client, self._path, self._asked = client, path, asked
        self._answer: Any = None
        self._closed = False
        self.last_event_id = last_event_id

    def close(self) -> None:
        """Ends the stream."""
        self._closed = True
        if self._answer is not None:
            self._answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        pause, begun = _FIRST_PAUSE, False
        while not self._closed:
            try:
                self._answer = self._open()
                begun = True
                for event in self._read():
                    pause = _FIRST_PAUSE
                    yield event
            except Unreachable:
                if not begun:
                    raise
            except _BROKEN:
                pass
            except (AttributeError, ValueError):
                # The answer was closed while it was read.
                if not self._closed:
                    raise
            if not self._closed:
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _open(self) -> Any:
        # Behind the last event, if there was one; it is stronger than what was asked for at first.
        headers = {"Accept": "text/event-stream"}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = self.last_event_id
        return self._client._send("GET", self._path, self._asked, headers)

    def _read(self) -> Iterator[T]:
        kind, data, number = "message", [], None
        for line in self._answer:
            field, _, value = line.decode().rstrip("\r\n").partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                number = value
            elif not field and not value:
                if data:
                    told = json.loads("\n".join(data))
                    if kind == "problem":
                        self._closed = True
                        raise Refused(told)
                    self.last_event_id = number or self.last_event_id
                    yield {"event": kind, "data": told}  # type: ignore[misc]
                kind, data, number = "message", [], None


class Base:
    """A realm as one principal sees it. Cheap to copy; copies differ in what they send along."""

    def __init__(self, url: str, token: Optional[str] = None, timeout: float = 60.0) -> None:
        """`url` such as `http://127.0.0.1:7600`; `timeout` in seconds."""
        self.url, self.timeout = url.rstrip("/"), timeout
        self._headers: dict[str, str] = {}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._make_groups()

    def _make_groups(self) -> None:
        """Makes the groups of operations."""

    def _with(self, name: str, value: str) -> Self:
        other = copy.copy(self)
        other._headers = {**self._headers, name: value}
        other._make_groups()
        return other

    def with_token(self, token: str) -> Self:
        """The same realm as another principal sees it."""
        return self._with("Authorization", f"Bearer {token}")

    def acting_as(self, agent: str) -> Self:
        """The same client, acting as an agent (`@handle` or id) of its owner."""
        return self._with("Rialto-Agent", agent)

    def caused_by(self, cause: str) -> Self:
        """The same client, whose operations name what caused them, for the trace."""
        return self._with("Rialto-Cause", cause)

    def with_key(self, key: str) -> Self:
        """The same client with an idempotency key (`new_key`), for one operation and its repeats."""
        return self._with("Idempotency-Key", key)

    def carry_out(self, op: str, args: dict[str, Any]) -> t.Accepted:
        """Carries out an operation by its name, such as `mail.send`."""
        return self._json("POST", f"/api/{op}", args)

    def batch(self, commands: list[t.BatchItem]) -> list[t.Outcome]:
        """Carries out operations in order, each for itself; one outcome for each."""
        return self._json("POST", "/api/commands", {"commands": commands})["outcomes"]

    def _json(self, method: str, path: str, asked: dict[str, Any]) -> Any:
        return json.loads(self._whole(method, path, asked, {"Accept": "application/json"}))

    def _whole(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str]) -> bytes:
        with self._send(method, path, asked, headers) as answer:
            try:
                return answer.read()
            except _BROKEN as error:
                raise Unreachable(f"{self.url}: the connection broke: {error}") from error

    def _send(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str]) -> Any:
        asked = {name: value for name, value in asked.items() if value is not None}
        address, body = self.url + path, None
        if method == "POST":
            body = json.dumps(asked).encode()
            headers = {**headers, "Content-Type": "application/json"}
        elif asked:
            plain = {n: str(v).lower() if isinstance(v, bool) else v for n, v in asked.items()}
            address += "?" + urlencode(plain)
        request = urllib.request.Request(address, body, {**self._headers, **headers}, method=method)
        try:
            return urllib.request.urlopen(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except _BROKEN as error:
            why = getattr(error, "reason", error)
            raise Unreachable(f"{self.url}: {why}") from error


def _refusal(error: urllib.error.HTTPError) -> Exception:
    with error:
        said = error.read()
    if error.headers.get_content_type() == "application/problem+json":
        return Refused(json.loads(said))
    return Unreachable(f"status {error.code}: {said.decode(errors='replace').strip()[:200]}")


class Group:
    """Operations or reads that belong together."""

    def __init__(self, client: Base) -> None:
        self._client = client

    def _carry_out(self, op: str, args: dict[str, Any]) -> t.Accepted:
        return self._client.carry_out(op, args)

    def _get(self, path: str, asked: dict[str, Any]) -> Any:
        return self._client._json("GET", path, asked)

    def _pages(self, path: str, asked: dict[str, Any], rows: str, ask: bool = False) -> Pages[Any]:
        return Pages(self._client, path, asked, rows, ask)

    def _events(self, path: str, asked: dict[str, Any], last_event_id: Optional[str]) -> Events[Any]:
        return Events(self._client, path, asked, last_event_id)

    def _lines(self, path: str, asked: dict[str, Any]) -> Iterator[Any]:
        with self._client._send("GET", path, asked, {}) as answer:
            for line in answer:
                yield json.loads(line)

    def _text(self, path: str) -> str:
        return self._client._whole("GET", path, {}, {}).decode()

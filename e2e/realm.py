"""A realm to test against: the program as a process on loopback with a folder of its own, and a client of its API.
Holds no assertion."""

import atexit
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("RIALTO_BIN", HERE.parent / "target" / "debug" / "rialto"))
START_S = 60


class Child:
    """A process that tells its address in its first lines. It is ended by its own id."""

    def __init__(self, args, env=None, cwd=None, marks=("http://",), start_s=START_S):
        self.lines, said = [], queue.Queue()
        self.process = subprocess.Popen(
            args, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

        atexit.register(self.close)

        def read():
            for line in self.process.stdout:
                self.lines.append(line.rstrip())
                said.put(line)
            said.put(None)

        threading.Thread(target=read, daemon=True).start()
        end = time.monotonic() + start_s
        while True:
            try:
                line = said.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                self.close()
                raise RuntimeError(f"{args[0]} told no address in {start_s} s: {self.lines}") from None
            if line is None:
                raise RuntimeError(f"{args[0]} ended at its start: {self.lines}")
            if any(mark in line for mark in marks):
                self.url = next(word for word in line.split() if word.startswith("http://")).rstrip("/")
                return

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Refused(Exception):
    pass


class Api:
    """The realm's own API with a token."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def _ask(self, path, body=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"{path}: {error.code} {error.read().decode()[:500]}") from None

    def op(self, op, **args):
        return self._ask(f"/api/{op}", args)

    def get(self, path):
        return self._ask(path)

    def all(self, path):
        """Every row of a list."""
        rows, cursor = [], None
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(f"{path}{mark}limit=100" + (f"&cursor={cursor}" if cursor else ""))
            rows += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return rows


class Realm:
    """A fresh realm with one owner, whose deployments are served by the providers given."""

    def __init__(self, providers, env=None):
        self.folder = tempfile.TemporaryDirectory(prefix="rialto-e2e-")
        data = Path(self.folder.name)
        (data / "rialto.toml").write_text(toml(providers))
        place = {"HOME": self.folder.name, "XDG_CONFIG_HOME": self.folder.name}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RIALTO_")}
        args = [str(BINARY), "serve", "--data", str(data / "data"), "--listen", "127.0.0.1:0"]
        self.child = Child(args, env=kept | place | (env or {}), cwd=self.folder.name)
        self.url = self.child.url
        self.operator = Api(self.url, (data / "data" / "operator.token").read_text().strip())
        self.operator.op(
            "policy.set_settings", sign_up_open=True, sign_ups_per_hour=0, messages_per_minute=0, text_bytes_per_minute=0,
            offers_per_minute=0, agents_per_owner=0,
        )
        self.owner, self.admin = self.sign_up("casa")

    def sign_up(self, name):
        signed = self.operator.op("owner.sign_up", name=name, kind="organisation")
        return signed["ids"]["owner"], Api(self.url, signed["token"]["secret"])

    def agent(self, handle, funds, admin=None):
        """An agent with money, and its client."""
        made = (admin or self.admin).op("agent.register", handle=handle, profile={})
        if funds:
            self.operator.op("ledger.issue", to=f"@{handle}", amount=funds, asset="USD")
        return Api(self.url, made["token"]["secret"])

    def deploy(self, model, provider, upstream, prices, admin=None, **more):
        terms = {"model": model, "provider": provider, "upstream": upstream, "prices": prices} | more
        return (admin or self.admin).op("deployment.create", terms=terms)["ids"]

    def balance(self, handle):
        """What an agent has and what of it is held, in nano-dollars."""
        account = self.operator.get(f"/api/ledger/accounts/@{handle}")
        return account

    def close(self):
        self.child.close()
        self.folder.cleanup()


def toml(providers):
    lines = []
    for name, fields in providers.items():
        lines.append(f"[providers.{name}]")
        lines += [f"{key} = {value_of(value)}" for key, value in fields.items()]
    return "\n".join(lines) + "\n"


def value_of(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {value_of(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)

"""Runs the table of cases by every client: directly against the stand-ins, through the realm with each kind of
provider, through the realm with a real small model, and against any real endpoint. Prints a table; exit code 1 when
something failed. Started by `run`, which installs what this needs."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import money
from cases import FAULTS, Far, Wrong, slug, wanted
from clients.neutral import answer
from clients.python_clients import CLIENTS
from realm import Child, Realm
from standins.__main__ import ACCESS, KEY
from standins.minds import FIXED, READING

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ["RIALTO_E2E_CACHE"])
NODE = next(HERE.glob("clients/node_modules/node-linux-*/bin/node"), "node")
PATIENCE_S = 90
KINDS = ("openai", "anthropic", "bedrock")


class NodeClients:
    """The clients in Node: one process, one question at a time."""

    def __init__(self, base, key, access=None):
        argument = json.dumps([base, key, access])
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [NODE, HERE / "clients" / "node_clients.mjs", argument], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.said = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.said.put(line)
        self.said.put("")

    def ask(self, **wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        line = self.said.get(timeout=PATIENCE_S)
        if not line:
            raise RuntimeError("the clients in Node ended")
        return json.loads(line)

    def all(self):
        return [NodeClient(self, **one) for one in self.ask(act="clients")["ok"]]

    def close(self):
        self.process.kill()
        self.process.wait()


class NodeClient:
    def __init__(self, process, name, dialect, version):
        self.process, self.name, self.dialect, self.version = process, name, dialect, version

    def ask(self, q):
        got = self.process.ask(act="ask", client=self.name, ask=q)
        return answer(**(got.get("ok") or {"error": got["error"]}))

    def _plain(self, **wish):
        got = self.process.ask(client=self.name, **wish)
        if "error" in got:
            raise Wrong(f"an error came instead of an answer: {got['error']}")
        return got["ok"]

    def models(self):
        return self._plain(act="models")

    def embed(self, model, given, form):
        return self._plain(act="embed", model=model, given=given, form=form)

    def count(self, model):
        return self._plain(act="count", model=model)


class Clients:
    """All clients for an address and a key, and the same with a wrong one."""

    def __init__(self, base, key, access=None, part=""):
        self.processes, self.wrongs, self.lock = [], {}, threading.Lock()
        self.clients = self._made(base, key, access, part)
        wrong_access = access and (access[0], "not" + access[1])
        self.make_wrongs = lambda: self._made(base, "not" + key, wrong_access, part)

    def _made(self, base, key, access, part):
        node = NodeClients(base, key, access)
        self.processes.append(node)
        made = [client(base, key, access=access or (key, key)) for client in CLIENTS]
        return [client for client in made + node.all() if part in client.name]

    def wrong(self, client):
        """The same client with a wrong key."""
        with self.lock:
            if not self.wrongs:
                self.wrongs = {one.name: one for one in self.make_wrongs()}
        return self.wrongs[client.name]

    def close(self):
        for process in self.processes:
            process.close()


class Board:
    """What passed and what did not."""

    def __init__(self):
        self.rows, self.failures = [], []

    def run(self, clients, far, part):
        """Those in Python and those in Node beside each other."""
        node = [client for client in clients if isinstance(client, NodeClient)]
        beside = threading.Thread(target=self._each, args=(node, far, part))
        beside.start()
        self._each([client for client in clients if client not in node], far, part)
        beside.join()

    def _each(self, clients, far, part):
        for client in clients:
            passed, failed, begun = 0, [], time.monotonic()
            for name, check in wanted(client, far):
                if part and part not in name:
                    continue
                try:
                    check(client, far)
                    passed += 1
                except Wrong as wrong:
                    failed.append((name, str(wrong)))
                except Exception:
                    failed.append((name, traceback.format_exc(limit=-3)))
            self.note(f"{client.name} {client.version}", far_name(far), passed, failed, time.monotonic() - begun)

    def check(self, what, work):
        """Something that is no client's case."""
        begun = time.monotonic()
        try:
            said = work()
            self.note(what, said or "", 1, [], time.monotonic() - begun)
        except Wrong as wrong:
            self.note(what, "", 0, [(what, str(wrong))], time.monotonic() - begun)
        except Exception:
            self.note(what, "", 0, [(what, traceback.format_exc(limit=-3))], time.monotonic() - begun)

    def note(self, who, far, passed, failed, took):
        self.rows.append((who, far, passed, len(failed)))
        print(f"{'FAIL' if failed else 'ok':5}{who:34}{far:44}{passed:3} passed {len(failed):3} failed {took:6.1f} s", flush=True)
        for name, why in failed:
            self.failures.append((who, far, name, why))
            print(f"      {name}: {why}", flush=True)


def far_name(far):
    if far.kind == "live":
        return f"a real model{' through the realm' if far.through else ''}"
    return f"{'the realm, before ' if far.through else ''}a stand-in of {far.kind}"


def stand_ins():
    return Child([sys.executable, "-m", "standins"], cwd=HERE)


def directly(board, part):
    """Every client against the stand-in of its own dialect: shows that the stand-ins and the adapters are sound."""
    child = stand_ins()
    clients = Clients(child.url, KEY, ACCESS, part[0])
    own = {"chat": "openai", "responses": "openai", "messages": "anthropic", "converse": "bedrock"}
    try:
        for dialects in (("chat", "responses"), ("messages",), ("converse",)):
            some = [client for client in clients.clients if client.dialect in dialects]
            board.run(some, Far(own[dialects[0]], False, key_wrong=clients.wrong), part[1])
    finally:
        clients.close()
        child.close()


def providers(url):
    """Settings of a provider for each kind of stand-in, and the environment that holds their key."""
    return {kind: {"kind": kind, "url": url, "key": "env:STANDIN_KEY"} for kind in KINDS}, {"STANDIN_KEY": KEY}


# What the providers call a model: signed thoughts go back to models of Anthropic only, as their name tells.
UPSTREAM = {"openai": "stand-in:", "anthropic": "claude-stand-in:", "bedrock": "anthropic.claude-stand-in-v1:"}
PRICES = {"per_million": {"input": "1", "output": "10", "cached": "0.1"}}


def through(board, part):
    """Every client through the realm, whose providers are the stand-ins, one of each kind."""
    child = stand_ins()
    settings, env = providers(child.url)
    realm = Realm(settings, env)
    try:
        for kind in KINDS:
            for name in {*FIXED, *READING} - {*FAULTS}:
                realm.deploy(f"{kind}:{name}", kind, UPSTREAM[kind] + name, PRICES)
        agent = realm.agent("buyer", "1000")
        clients = Clients(realm.url, agent.token, money.access_of(agent), part[0])
        try:
            for kind in KINDS:
                for client in clients.clients:
                    for name in FAULTS:
                        realm.deploy(f"{kind}:{slug(client)}:{name}", kind, UPSTREAM[kind] + name, PRICES)
                board.run(clients.clients, Far(kind, True, key_wrong=clients.wrong), part[1])
        finally:
            clients.close()
        if part == ("", ""):
            board.check("the ledger after all calls", lambda: money.adds_up(realm, agent, "buyer", "1000"))
            board.check("receipts", lambda: money.receipts(realm, agent))
            board.check("no key in the log", lambda: money.nothing_leaks(realm, [KEY, agent.token, money.access_of(agent)[1]]))
    finally:
        realm.close()
        child.close()


def real_model(board, part):
    """Every client through the realm with a small real model, which a package index gives."""
    child = Child([sys.executable, str(HERE / "small_model.py"), str(CACHE / "model")], start_s=180)
    realm = None
    try:
        realm = Realm({"local": {"kind": "openai", "url": child.url}})
        realm.deploy("smol", "local", "smol", PRICES)
        agent = realm.agent("buyer", "1000")
        clients = Clients(realm.url, agent.token, money.access_of(agent), part[0])
        try:
            board.run(clients.clients, Far("live", True, key_wrong=clients.wrong, live="smol"), part[1])
        finally:
            clients.close()
        if part == ("", ""):
            board.check("the ledger after a real model", lambda: money.adds_up(realm, agent, "buyer", "1000"))
    finally:
        if realm:
            realm.close()
        child.close()


def live(board, part):
    """Every client whose dialect the endpoint speaks against any real one."""
    base, key, model = (os.environ.get(f"RIALTO_LIVE_{name}", "") for name in ("BASE_URL", "KEY", "MODEL"))
    if not base or not model:
        sys.exit("RIALTO_LIVE_BASE_URL and RIALTO_LIVE_MODEL are needed, and mostly RIALTO_LIVE_KEY")
    dialects = os.environ.get("RIALTO_LIVE_DIALECTS", "chat").split(",")
    access = os.environ.get("RIALTO_LIVE_ACCESS", "").split(":") if os.environ.get("RIALTO_LIVE_ACCESS") else None
    clients = Clients(base.rstrip("/").removesuffix("/v1"), key or "none", access, part[0])
    clients.clients = [client for client in clients.clients if client.dialect in dialects]
    try:
        board.run(clients.clients, Far("live", False, key_wrong=clients.wrong if key else None, live=model), part[1])
    finally:
        clients.close()


GROUPS = {"direct": directly, "gateway": through, "money": money.race, "model": real_model}


def main():
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = sys.argv[1:]
    group = args.pop(0) if args and args[0] in (*GROUPS, "live") else None
    part = (args[0] if args else "", args[1] if len(args) > 1 else "")
    board, begun = Board(), time.monotonic()
    if group == "live":
        live(board, part)
    else:
        for name, work in GROUPS.items():
            if group in (None, name):
                work(board, part)
    passed = sum(row[2] for row in board.rows)
    print(f"{passed} passed, {len(board.failures)} failed, in {time.monotonic() - begun:.0f} s")
    sys.exit(1 if board.failures else 0)


if __name__ == "__main__":
    main()

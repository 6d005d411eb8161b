#!/usr/bin/env python3
"""Sends what model calls leave in the log: usage reserved and settled, each with an idempotency key.

    rialto serve --data DIR &
    rialto owner sign-up acme --save acme.token
    rialto agent register @ana --save ana.token --token-file acme.token
    bench/calls.py --token-file ana.token --calls 3000              # a request a command
    bench/calls.py --token-file ana.token --calls 20000 --batch 250 # 250 commands a request

Stop the server before you look at the sizes of log.db and views.db; it leaves views.db-wal behind, which
`sqlite3 DIR/views.db 'PRAGMA wal_checkpoint(TRUNCATE)'` moves into views.db. Models, runs and numbers of tokens
repeat as those of a few agents do; nothing is random but the keys.
"""

import argparse
import http.client
import json
import pathlib
import time
import urllib.parse
import uuid

MODELS = ["gpt-x", "llama-70b", "haiku"]


def key():
    return f"{int(time.time())}.{uuid.uuid4()}"


def reserve(n):
    return {"tokens": 1200 + n % 900, "model": MODELS[n % 3], "run": f"run-{n // 20:06}"}


def settle(usage, n):
    return {"usage": usage, "tokens": 900 + n % 1000}


class Door:
    def __init__(self, server, token):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(server).netloc)
        self.token = token

    def post(self, path, body, **headers):
        headers |= {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        self.connection.request("POST", path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"{path}: {told}")
        return told

    def one(self, op, args):
        return self.post(f"/api/{op}", args, **{"Idempotency-Key": key()})

    def many(self, op, args):
        commands = [{"op": op, "args": each, "key": key()} for each in args]
        return [outcome["accepted"] for outcome in self.post("/api/commands", {"commands": commands})["outcomes"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="http://127.0.0.1:7600")
    parser.add_argument("--token-file", type=pathlib.Path, required=True)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=1)
    given = parser.parse_args()
    door = Door(given.server, given.token_file.read_text().strip())
    began = time.time()
    for first in range(0, given.calls, given.batch):
        if given.batch == 1:
            usage = door.one("usage.reserve", reserve(first))["ids"]["usage"]
            door.one("usage.settle", settle(usage, first))
            continue
        calls = range(first, min(first + given.batch, given.calls))
        usages = [it["ids"]["usage"] for it in door.many("usage.reserve", [reserve(n) for n in calls])]
        door.many("usage.settle", [settle(usage, n) for usage, n in zip(usages, calls)])
    print(f"{given.calls} calls in {time.time() - began:.1f} s")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The same double-entry deals, or plain transfers, on PostgreSQL: what a database gives by itself.

    apt-get install postgresql python3-psycopg        # or: pip install "psycopg[binary]"
    python3 bench/postgres_deals.py --connections 64
    python3 bench/postgres_deals.py --connections 64 --transfers
    python3 bench/postgres_deals.py --connections 64 --transfers --hot

A deal is four transactions, one a step, each committed durably before the next: an offer; its
acceptance, which makes the deal and holds the price; the delivery; its acceptance, which posts the
hold as a double entry and settles the deal. A transfer is one transaction: an entry and both
balances. Statements are prepared; accounts are locked in the order of their ids, so that nothing
deadlocks; `synchronous_commit` and `fsync` are on.

It starts a cluster of its own in a temporary folder, listening on a Unix socket only, and removes it
at the end. Started as root it runs the server as the user `postgres`, since PostgreSQL refuses root.
Clients are processes with a few connections each, one thread a connection. The balances must add up
to zero at the end, or it fails. Prints one JSON object.
"""

import argparse
import concurrent.futures
import contextlib
import glob
import json
import multiprocessing
import os
import pathlib
import pwd
import random
import shutil
import subprocess
import sys
import tempfile
import time

import psycopg

OUTSIDE = 0  # The account that all money comes from; its balance is minus everybody's.
FUNDS = 1_000_000_000

SCHEMA = f"""
CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL,
    held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    CHECK (id = {OUTSIDE} OR balance >= held)
) WITH (fillfactor = 50);
CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    debit bigint NOT NULL REFERENCES accounts, credit bigint NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount > 0), at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE deals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    buyer bigint NOT NULL REFERENCES accounts, seller bigint NOT NULL REFERENCES accounts,
    price bigint NOT NULL CHECK (price > 0), state text NOT NULL, artifact text,
    at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE holds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deal bigint NOT NULL REFERENCES deals,
    debit bigint NOT NULL REFERENCES accounts, credit bigint NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount > 0), state text NOT NULL
) WITH (fillfactor = 50);
"""

MOVE = "UPDATE accounts SET balance = balance + %s, held = held + %s WHERE id = %s"
ENTRY = "INSERT INTO entries (debit, credit, amount) VALUES (%s, %s, %s)"
STEP = "UPDATE deals SET state = %s WHERE id = %s AND state = %s"


class Refused(Exception):
    """A step found the deal in another state."""


def move(db, changes):
    """Changes balances and holds, in the order of the accounts' ids."""
    for account, balance, held in sorted(changes):
        db.execute(MOVE, (balance, held, account), prepare=True)


def step(db, deal, was, becomes):
    if db.execute(STEP, (becomes, deal, was), prepare=True).rowcount != 1:
        raise Refused(f"deal {deal} is not {was}")


def offer(db, buyer, seller, price):
    made = db.execute(
        "INSERT INTO deals (buyer, seller, price, state) VALUES (%s, %s, %s, 'offered') RETURNING id",
        (buyer, seller, price), prepare=True)
    return made.fetchone()[0]


def accept(db, deal, buyer, seller, price):
    step(db, deal, "offered", "agreed")
    move(db, [(buyer, 0, price)])
    made = db.execute(
        "INSERT INTO holds (deal, debit, credit, amount, state) VALUES (%s, %s, %s, %s, 'open') RETURNING id",
        (deal, buyer, seller, price), prepare=True)
    return made.fetchone()[0]


def deliver(db, deal):
    made = db.execute(
        "UPDATE deals SET state = 'delivered', artifact = %s WHERE id = %s AND state = 'agreed'",
        ("one taco, as agreed", deal), prepare=True)
    if made.rowcount != 1:
        raise Refused(f"deal {deal} is not agreed")


def settle(db, deal, hold, buyer, seller, price):
    step(db, deal, "delivered", "settled")
    made = db.execute("UPDATE holds SET state = 'posted' WHERE id = %s AND state = 'open'", (hold,), prepare=True)
    if made.rowcount != 1:
        raise Refused(f"hold {hold} is not open")
    move(db, [(buyer, -price, -price), (seller, price, 0)])
    db.execute(ENTRY, (buyer, seller, price), prepare=True)


def one_deal(db, buyer, seller, price):
    with db.transaction():
        deal = offer(db, buyer, seller, price)
    with db.transaction():
        hold = accept(db, deal, buyer, seller, price)
    with db.transaction():
        deliver(db, deal)
    with db.transaction():
        settle(db, deal, hold, buyer, seller, price)


def one_transfer(db, debit, credit, amount):
    with db.transaction():
        move(db, [(debit, -amount, 0), (credit, amount, 0)])
        db.execute(ENTRY, (debit, credit, amount), prepare=True)


def two_accounts(chance, args):
    """Two accounts: any two, or with --hot one of the first ten and any other."""
    first = chance.randint(1, 10) if args.hot else chance.randint(1, args.accounts)
    second = first
    while second == first:
        second = chance.randint(1, args.accounts)
    return (first, second) if chance.random() < 0.5 else (second, first)


def client(args, where, number, start):
    """One connection at work from the start until the time is over. Its latencies in seconds."""
    chance, latencies = random.Random(number), []
    act = one_transfer if args.transfers else one_deal
    with psycopg.connect(**where, autocommit=True) as db:
        start.wait(timeout=60)
        warm = time.perf_counter() + args.warm_up
        end = warm + args.seconds
        while (began := time.perf_counter()) < end:
            debit, credit = two_accounts(chance, args)
            act(db, debit, credit, chance.randint(1, 100))
            done = time.perf_counter()
            if began >= warm and done <= end:
                latencies.append(done - began)
    return latencies


def process(args, where, numbers, start, found):
    with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
        clients = [pool.submit(client, args, where, n, start) for n in numbers]
        try:
            found.put([one for done in clients for one in done.result()])
        except Exception as why:  # Told to whoever waits for the latencies.
            found.put(repr(why))


def load(args, where):
    """Runs all connections and returns every latency, in seconds."""
    start, found = multiprocessing.Barrier(args.connections), multiprocessing.Queue()
    shares = [list(range(args.connections))[n::args.processes] for n in range(args.processes)]
    running = [multiprocessing.Process(target=process, args=(args, where, numbers, start, found))
               for numbers in shares if numbers]
    for one in running:
        one.start()
    parts = [found.get() for _ in running]
    for one in running:
        one.join()
    if failed := [part for part in parts if isinstance(part, str)]:
        sys.exit(f"a client failed: {failed[0]}")
    return sorted(one for part in parts for one in part)


def programs():
    """The folder of PostgreSQL's programs, the newest version there is."""
    if found := shutil.which("initdb"):
        return pathlib.Path(found).parent
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    if not found:
        sys.exit("no initdb: install PostgreSQL")
    return pathlib.Path(found[-1]).parent


@contextlib.contextmanager
def cluster(args):
    """A cluster that lives as long as the block. What psycopg needs to connect to it."""
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postgres-deals-", dir=args.folder))
    if user:
        shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
    data, quiet = folder / "data", {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    options = {
        "listen_addresses": "''", "unix_socket_directories": f"'{folder}'",
        "max_connections": args.connections + 5, "shared_buffers": args.shared_buffers,
        "max_wal_size": "4GB", "synchronous_commit": "on", "fsync": "on",
    }
    try:
        subprocess.run([programs() / "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8",
                        "--no-locale"], **quiet, **user)
        with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in options.items())
        control = [programs() / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        subprocess.run([*control, "start"], **quiet, **user)
        try:
            yield {"host": str(folder), "user": "bench", "dbname": "postgres"}
        finally:
            subprocess.run([*control, "-m", "fast", "stop"], **quiet, **user)
    finally:
        shutil.rmtree(folder)


def fill(db, accounts):
    db.execute(SCHEMA)
    db.execute("INSERT INTO accounts (id, balance) VALUES (%s, %s)", (OUTSIDE, -accounts * FUNDS))
    db.execute("INSERT INTO accounts (id, balance) SELECT n, %s FROM generate_series(1, %s) n", (FUNDS, accounts))
    db.execute("VACUUM ANALYZE")


def check(db):
    """The books must add up, and every settled deal must have its entry."""
    total, held = db.execute("SELECT sum(balance), sum(held) FROM accounts").fetchone()
    entries = db.execute("SELECT count(*) FROM entries").fetchone()[0]
    settled = db.execute("SELECT count(*) FROM deals WHERE state = 'settled'").fetchone()[0]
    if total != 0 or held != 0 or (settled and settled != entries):
        sys.exit(f"the books are wrong: {total=} {held=} {entries=} {settled=}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--processes", type=int, default=2, help="client processes that share the connections")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=3, metavar="SECONDS")
    parser.add_argument("--transfers", action="store_true", help="plain transfers in place of deals")
    parser.add_argument("--hot", action="store_true", help="one side of each is one of ten accounts")
    parser.add_argument("--shared-buffers", default="512MB")
    parser.add_argument("--folder", help="where the cluster's folder is made [default: the temporary folder]")
    args = parser.parse_args()
    with cluster(args) as where:
        with psycopg.connect(**where, autocommit=True) as db:
            fill(db, args.accounts)
            version = db.execute("SHOW server_version").fetchone()[0]
        latencies = load(args, where)
        with psycopg.connect(**where, autocommit=True) as db:
            check(db)
    at = lambda part: round(1e3 * latencies[min(int(len(latencies) * part), len(latencies) - 1)], 2)
    print(json.dumps({
        "what": "transfers" if args.transfers else "deals", "hot": args.hot, "postgresql": version,
        "psycopg": psycopg.__version__, "connections": args.connections, "accounts": args.accounts,
        "seconds": args.seconds, "done": len(latencies), "per_second": round(len(latencies) / args.seconds, 1),
        "p50_ms": at(0.5), "p99_ms": at(0.99),
    }))


if __name__ == "__main__":
    main()

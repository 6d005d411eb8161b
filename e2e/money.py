"""What the ledger must say after calls of models, and the race of a thousand callers for one budget.

The race speaks HTTP over plain sockets, so that all thousand requests are sent at once."""

import asyncio
import json
import sys
import time
from collections import Counter
from decimal import Decimal

from cases import Wrong, same
from realm import Child, Realm

CALLERS, AFFORDABLE = 1_000, 100
SETTLED_WITHIN_S = 15
PRICE = "0.01"
EACH = {"a_call": PRICE, "per_million": {"input": "0", "output": "0"}}
BY_TOKENS = {"per_million": {"input": "1", "output": "10"}}


def settled(realm, agent):
    """The agent's calls once none is open any more."""
    end = time.monotonic() + SETTLED_WITHIN_S
    while True:
        rows = agent.all("/api/inferences")
        open_rows = [row for row in rows if row["state"] == "open"]
        if not open_rows and time.monotonic() > end - SETTLED_WITHIN_S + 1:
            return rows
        if time.monotonic() > end:
            raise Wrong(f"{len(open_rows)} calls are still open after {SETTLED_WITHIN_S} s, such as {open_rows[0]}")
        time.sleep(0.2)


def account(realm, handle):
    return next(row for row in realm.operator.all("/api/ledger/accounts") if row["holder_name"] == f"@{handle}")


def paid(rows):
    return sum((Decimal(row["paid"]["amount"]) for row in rows if row["paid"]), Decimal(0))


def adds_up(realm, agent, handle, funds):
    """Nothing is held, nothing is lost, and at no entry was more spent than there was."""
    rows = settled(realm, agent)
    mine = account(realm, handle)
    same("held", Decimal(mine["pending_out"]), 0)
    same("spent", Decimal(funds) - Decimal(mine["balance"]), paid(rows))
    for row in rows:
        if row["paid"] and Decimal(row["paid"]["amount"]) > Decimal(row["reserved"]["amount"]):
            raise Wrong(f"more was paid than reserved: {row}")
    for entry in realm.operator.all(f"/api/ledger/accounts/{mine['id']}/entries"):
        if min(Decimal(entry["available"]), Decimal(entry["balance"])) < 0:
            raise Wrong(f"overspent: {entry}")
    [balance] = [row for row in realm.operator.get("/api/ledger/trial-balance")["items"] if row["asset"] == "USD"]
    same("sum over all accounts", Decimal(balance["sum"]), 0)
    same("pending", Decimal(balance["pending"]), 0)
    return f"{len(rows)} calls, {paid(rows)} USD"


def cost(input, output, cached=0):
    """By the prices of the driver, in USD, rounded up to a nano-dollar."""
    pico = (input - cached) * 1_000_000 + cached * 100_000 + output * 10_000_000
    return Decimal(-(-pico // 1000)) / Decimal(10**9)


def receipts(realm, agent):
    """What single calls came to, by the name of the model."""
    by_model = {}
    for row in settled(realm, agent):
        by_model.setdefault(row["model"], []).append(row)
    for kind in ("openai", "anthropic", "bedrock"):
        for name, want in {"ok": (11, 7, 0), "cached": (1000, 7, 800), "fifty": (11, 50, 0)}.items():
            for row in by_model[f"{kind}:{name}"]:
                if row["output"] == 0 and row["input"] == 2 or row["input"] == 4:
                    continue  # embeddings
                got = (row["input"], row["output"], row["cached"] or 0)
                same(f"{kind}:{name} tokens", got, want)
                same(f"{kind}:{name} state", row["state"], "served")
                same(f"{kind}:{name} paid", Decimal(row["paid"]["amount"]), cost(*want))
                same(f"{kind}:{name} counted by", row["counted"], "provider")
        for row in by_model[f"{kind}:slow"]:
            same(f"{kind}:slow state", row["state"], "left")
            if not 0 < row["output"] < 400:
                raise Wrong(f"a caller left after three pieces and pays for {row['output']} tokens of output: {row}")
        for row in (row for model in by_model for row in by_model[model] if model.endswith((":rate-limited", ":bad-request"))):
            same(f"{row['model']} paid", Decimal(row["paid"]["amount"]), 0)
            same(f"{row['model']} state", row["state"], "failed")
        for row in by_model[f"{kind}:usage-backwards"]:
            if row["input"] not in (11, 30) or row["output"] != 7:
                raise Wrong(f"usage that went back was added up or lost: {row}")
    for row in by_model["openai:no-usage"]:
        if row["counted"] == "provider" or not row["output"]:
            raise Wrong(f"a provider that told no usage: {row}")
    return f"{sum(map(len, by_model.values()))} receipts"


def nothing_leaks(realm, secrets):
    told = "\n".join(realm.child.lines)
    for secret in secrets:
        if secret in told:
            raise Wrong(f"a key stands in the log: {secret[:4]}…")


def access_of(agent):
    """The access key and secret of an agent's token, for signed requests."""
    given = agent.get("/api/access-key")
    return given["AccessKeyId"], given["SecretAccessKey"]


async def ask_at_once(url, token, models, count, most):
    """Sends that many requests when all are connected. What came back, as statuses with bodies."""
    host, _, port = url.removeprefix("http://").partition(":")
    ready, go = [], asyncio.Event()

    async def one(number):
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(
            {"model": models[number % len(models)], "max_tokens": most, "messages": [{"role": "user", "content": "Hello?"}]}
        ).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        ready.append(number)
        if len(ready) == count:
            go.set()
        await go.wait()
        writer.write(head.encode() + body)
        answer = await asyncio.wait_for(reader.read(-1), 120)
        writer.close()
        status = int(answer.split(b" ", 2)[1])
        return status, answer.partition(b"\r\n\r\n")[2].decode(errors="replace")

    return await asyncio.gather(*(one(number) for number in range(count)))


def count_of(answers):
    return dict(Counter(status for status, _ in answers))


def exactly(realm, handle, agent, models, funds):
    """As many are served as the money is for, and every other one is told why not."""
    answers = asyncio.run(ask_at_once(realm.url, agent.token, models, CALLERS, 64))
    served = only_the_budget_refuses(answers)
    if served != AFFORDABLE:
        raise Wrong(f"expected {AFFORDABLE} served, got {served} of {CALLERS}")
    said = adds_up(realm, agent, handle, funds)
    same("spent", paid(settled(realm, agent)), Decimal(PRICE) * AFFORDABLE)
    return f"{served} served, {said}"


def only_the_budget_refuses(answers):
    """How many were served, if every other one was told in its dialect that the money is used up. OpenAI's form of
    that is a 429 whose code is no limit of rate."""
    for status, body in answers:
        if status == 200:
            continue
        error = json.loads(body)["error"] if status == 429 else {}
        if error.get("code") != "insufficient_quota" or "RLT04" not in error.get("message", ""):
            raise Wrong(f"an answer that is neither served nor refused by the budget: {status} {body[:300]}")
    return count_of(answers).get(200, 0)


def race(board, part):
    """A thousand callers at once, with money or an allowance for a hundred."""
    child = Child([sys.executable, "-m", "standins"], cwd=str(__file__).rsplit("/", 1)[0])
    from driver import providers

    settings, env = providers(child.url)
    settings["second"] = settings["openai"]
    realm = Realm(settings, env)
    try:
        realm.deploy("flat", "openai", "ok", EACH, open_to="everyone")
        # One provider refuses every second call; the other stands in for it.
        realm.deploy("shaky", "openai", "sometimes-limited", EACH)
        realm.deploy("shaky", "second", "ok", EACH)
        realm.deploy("tokens", "openai", "ok", BY_TOKENS)

        def by_balance():
            return exactly(realm, "poor", realm.agent("poor", "1.00"), ["flat"], "1.00")

        def by_allowance():
            agent = realm.agent("bound", "1000")
            realm.admin.op("policy.set_allowance", node={"agent": "@bound"}, asset="USD", per_period="1.00")
            return exactly(realm, "bound", agent, ["flat"], "1000")

        def by_owner():
            """The limit of an owner, that two of its agents share, for a model of another owner."""
            owner, admin = realm.sign_up("guild")
            first, second = realm.agent("guild-one", "1000", admin), realm.agent("guild-two", "1000", admin)
            admin.op("policy.set_allowance", node={"owner": owner}, asset="USD", per_period="1.00")

            async def both():
                halves = [ask_at_once(realm.url, agent.token, ["flat"], CALLERS // 2, 64) for agent in (first, second)]
                return [answer for half in await asyncio.gather(*halves) for answer in half]

            served = only_the_budget_refuses(asyncio.run(both()))
            if served != AFFORDABLE:
                raise Wrong(f"expected {AFFORDABLE} served within the owner's limit, got {served}")
            adds_up(realm, first, "guild-one", "1000")
            adds_up(realm, second, "guild-two", "1000")
            return f"{served} served"

        def with_fallback():
            """A call that falls back has set money aside for what failed, until that is settled: so fewer may be
            served at once, and never more."""
            agent = realm.agent("shaken", "1.00")
            served = only_the_budget_refuses(asyncio.run(ask_at_once(realm.url, agent.token, ["shaky"], CALLERS, 64)))
            if not AFFORDABLE // 2 <= served <= AFFORDABLE:
                raise Wrong(f"expected at most {AFFORDABLE} served, and not much less, got {served}")
            said = adds_up(realm, agent, "shaken", "1.00")
            same("spent", paid(settled(realm, agent)), Decimal(PRICE) * served)
            return f"{served} served, {said}"

        def by_tokens():
            """The most that a call can cost is more than it costs: what returns serves others, and nothing is overspent."""
            agent = realm.agent("thrifty", "0.01")
            answers = asyncio.run(ask_at_once(realm.url, agent.token, ["tokens"], CALLERS, 64))
            served = only_the_budget_refuses(answers)
            most = int(Decimal("0.01") / cost(11, 7))
            if not 0 < served <= most:
                raise Wrong(f"at most {most} can be served, got {served}")
            return f"{served} served, {adds_up(realm, agent, 'thrifty', '0.01')}"

        for what, check in {
            "1,000 at once, balance for 100": by_balance, "1,000 at once, allowance for 100": by_allowance,
            "1,000 at once, owner's limit for 100": by_owner, "1,000 at once, 429s and a fallback": with_fallback,
            "1,000 at once, prices by token": by_tokens,
        }.items():
            board.check(what, check)
    finally:
        realm.close()
        child.close()

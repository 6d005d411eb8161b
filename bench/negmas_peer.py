#!/usr/bin/env python3
"""NegMAS beside Rialto: the same domains, the same strategies, one after the other.

    python3 -m venv venv && venv/bin/pip install negmas==0.16.0
    venv/bin/python bench/negmas_peer.py speed --rialto target/release/rialto
    venv/bin/python bench/negmas_peer.py traces FOLDER FILE.json...

`speed` lets `rialto bench negotiate --export` write its domains, runs the same pairs on them in NegMAS,
checks that both reach the same agreements, and prints both rates as JSON. In both programs a
negotiation counts from its making to its end, a round is one turn of each side, and everything runs on one
thread. NegMAS sorts its outcomes in each negotiation; Rialto's cold figure does too, the other does not.

`traces` lets NegMAS negotiate native domain files pair by pair and writes each offer, for tests that hold
Rialto to the same offers and agreements. It uses BoulwareTBNegotiator, LinearTBNegotiator and
ConcederTBNegotiator, which draw no random numbers.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

PAIRS = ["boulware", "linear", "conceder"]


def load(path):
    """A native domain file as NegMAS's issues and utility functions, scaled to [0, 1]."""
    from negmas import make_issue, make_os
    from negmas.preferences import MappingUtilityFunction

    domain = json.loads(pathlib.Path(path).read_text())
    issues = []
    for issue in domain["issues"]:
        if "values" in issue:
            values = issue["values"]
        elif "integer" in issue:
            low, high = issue["integer"]
            values = (low, high)
        else:
            # A continuous issue is its levels, in both programs.
            low, high = issue["continuous"]
            last = issue.get("levels", 10) - 1
            values = [float(high) if i == last else float(low + (high - low) * (i / last))
                      for i in range(last + 1)]
        issues.append(make_issue(values, issue["name"]))
    space = make_os(issues)
    ufuns = []
    for profile in domain["profiles"]:
        if "table" in profile:
            rows = {tuple(row[:-1]): row[-1] for row in profile["table"]}
            low, high = min(rows.values()), max(rows.values())
            scaled = {outcome: (u - low) / (high - low) for outcome, u in rows.items()}
            ufun = MappingUtilityFunction(scaled, outcome_space=space)
        else:
            ufun, low, high = additive(profile, issues, space)
        reservation = profile.get("reservation")
        ufun.reserved_value = 0.0 if reservation is None else (reservation - low) / (high - low)
        ufuns.append(ufun)
    return domain, issues, space, ufuns


def additive(profile, issues, space):
    """The weighted sum, its weights divided by the span so that it reaches from 0 to 1."""
    from negmas.preferences import LinearAdditiveUtilityFunction
    from negmas.preferences.value_fun import TableFun

    parts = {part["issue"]: part for part in profile["additive"]}
    tables, weights = [], []
    low = high = profile.get("bias", 0.0)
    for issue in issues:
        part = parts[issue.name]
        table = {value: worth(part, value) for value in issue.all}
        weight = part.get("weight", 1.0)
        low += min(weight * v for v in table.values())
        high += max(weight * v for v in table.values())
        tables.append(TableFun(table))
        weights.append(weight)
    span = high - low
    ufun = LinearAdditiveUtilityFunction(
        values=tables, weights=[w / span for w in weights],
        bias=(profile.get("bias", 0.0) - low) / span, outcome_space=space)
    return ufun, low, high


def worth(part, value):
    if "values" in part:
        return part["values"][str(value)]
    if "linear" in part:
        return part["linear"].get("offset", 0.0) + part["linear"]["slope"] * value
    start, peak, end = (part["triangular"][k] for k in ("start", "peak", "end"))
    if value < start or value > end:
        return 0.0
    if value < peak:
        return (value - start) / (peak - start)
    if value > peak:
        return (end - value) / (end - peak)
    return 1.0


def negotiator(name, ufun):
    from negmas import sao

    kinds = {
        "boulware": sao.BoulwareTBNegotiator, "linear": sao.LinearTBNegotiator,
        "conceder": sao.ConcederTBNegotiator, "micro": sao.MiCRONegotiator,
        "tit-for-tat": sao.NaiveTitForTatNegotiator,
    }
    return kinds[name](name=name, ufun=ufun)


def run(space, ufuns, pair, rounds, offers=None):
    """One negotiation; its end. `offers` gets every offer, as its own trace leaves out the last ones."""
    from negmas.sao import SAOMechanism

    mechanism = SAOMechanism(outcome_space=space, n_steps=rounds)
    for name, ufun in zip(pair, ufuns):
        side = negotiator(name, ufun)
        if offers is not None:
            side.propose = recorded(side.propose, offers)
        mechanism.add(side, ufun=ufun)
    return mechanism.run()


def recorded(propose, offers):
    def wrapped(*args, **kwargs):
        offers.append(propose(*args, **kwargs))
        return offers[-1]
    return wrapped


def number(issues, outcome):
    """An outcome's number: the last issue's value changes fastest."""
    total = 0
    for issue, value in zip(issues, outcome):
        values = list(issue.all)
        total = total * len(values) + values.index(value)
    return total


def by_outcome(profile, issues, space):
    """A profile as a table of normalised utilities, added up in the order that Rialto adds in: the same
    numbers to the last bit. None if two outcomes are worth the same: in which order NegMAS tries those
    depends on the machine's sorting instructions."""
    import itertools
    from negmas.preferences import MappingUtilityFunction

    if "table" in profile:
        rows = {tuple(row[:-1]): row[-1] for row in profile["table"]}
    else:
        parts = {part["issue"]: part for part in profile["additive"]}
        rows = {}
        for outcome in itertools.product(*(issue.all for issue in issues)):
            total = profile.get("bias", 0.0)
            for issue, value in zip(issues, outcome):
                part = parts[issue.name]
                total += part.get("weight", 1.0) * worth(part, value)
            rows[outcome] = total
    low, high = min(rows.values()), max(rows.values())
    scaled = {outcome: (u - low) / (high - low) for outcome, u in rows.items()}
    order = sorted(scaled.values())
    if any(b - a < 1e-12 for a, b in zip(order, order[1:])):
        return None
    ufun = MappingUtilityFunction(scaled, outcome_space=space)
    reservation = profile.get("reservation")
    ufun.reserved_value = 0.0 if reservation is None else (reservation - low) / (high - low)
    return ufun


def traces(args):
    folder = pathlib.Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in args.files:
        domain, issues, space, ufuns = load(path)
        ufuns = [by_outcome(profile, issues, space) for profile in domain["profiles"]]
        if None in ufuns:
            print(path, "is left out: outcomes of equal worth have no order of their own")
            continue
        runs = []
        for rounds in (1, 2, 10, 37, 100):
            for pair in [(a, b) for a in PAIRS for b in PAIRS]:
                offers = []
                state = run(space, ufuns, pair, rounds, offers)
                offers = [number(issues, offer) for offer in offers]
                agreement = None if state.agreement is None else number(issues, state.agreement)
                runs.append({"pair": pair, "rounds": rounds, "offers": offers,
                             "agreement": agreement})
        name = pathlib.Path(path).stem
        out = folder / f"{name}.trace.json"
        lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in runs)
        out.write_text(f'{{"domain":"{name}","negmas":"0.16.0","runs":[\n{lines}\n]}}\n')
        print(out, len(runs), "runs", sum(r["agreement"] is not None for r in runs), "agreements")


def speed(args):
    import warnings
    warnings.filterwarnings("ignore")
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        command = args.rialto.split() + ["bench", "negotiate", "--json", "--export", folder,
                                         "--most", str(args.most)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        for case in json.loads(done.stdout)["cases"]:
            _, issues, space, ufuns = load(pathlib.Path(folder) / case["file"])
            negotiations, rounds, seconds, agreement = 0, 0, 0.0, None
            while negotiations < 3 and seconds < args.seconds:
                start = time.perf_counter()
                state = run(space, ufuns, case["pair"], case["limit"])
                seconds += time.perf_counter() - start
                negotiations += 1
                rounds += state.step + (state.agreement is not None)
                agreement = state.agreement
            found = None if agreement is None else number(issues, agreement)
            same = case["pair"][0] == "micro" or found == case["agreement"]
            theirs = rounds / seconds
            cases.append({
                "outcomes": case["outcomes"], "pair": case["pair"], "limit": case["limit"],
                "same_agreement": same if case["pair"][0] != "micro" else "drawn at random",
                "rialto_rounds_per_s": case["rounds_per_s"],
                "rialto_cold_rounds_per_s": case["cold_rounds_per_s"],
                "negmas_rounds_per_s": theirs,
                "negmas_negotiations_per_s": negotiations / seconds,
                "ratio": case["rounds_per_s"] / theirs,
                "ratio_cold": case["cold_rounds_per_s"] / theirs,
            })
            print(json.dumps(cases[-1]), file=sys.stderr)
            if not same:
                sys.exit("the agreements differ")
    print(json.dumps({"cases": cases}, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    fast = commands.add_parser("speed")
    fast.add_argument("--rialto", default="target/release/rialto", help="the binary")
    fast.add_argument("--seconds", type=float, default=20.0, help="the most for one case")
    fast.add_argument("--most", type=int, default=1_000_000, help="the most outcomes")
    golden = commands.add_parser("traces")
    golden.add_argument("folder")
    golden.add_argument("files", nargs="+")
    args = parser.parse_args()
    traces(args) if args.command == "traces" else speed(args)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs the fleet twin and NVIDIA's ai-dynamo replay on the same requests, one after the other.

    python3 -m venv venv
    venv/bin/pip install --only-binary :all: ai-dynamo==1.4.0 ai-dynamo-runtime==1.4.0
    venv/bin/python bench/fleet_peer.py --rialto target/release/rialto --trace azure_llm_2023_conv.csv

`rialto bench fleet --export` writes each case's requests; the peer replays those files offline with
round-robin routing and its default engine (vLLM). Both report the wall time of the simulation
itself, without start-up and parsing. Runs alternate; medians and ratios are printed as JSON.
The modelled chips differ (the peer's default profile is its own), so latencies are shown for
orientation and are not compared.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile


def ours(args, export):
    command = args.rialto.split() + args.bench.split() + [
        "--json", "--runs", "1", "--trace", args.trace, "--export", str(export)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {case["workers"]: case for case in json.loads(done.stdout)["cases"]}


def peer(python, trace, workers, report):
    command = [python, "-m", "dynamo.replay", str(trace), "--num-workers", str(workers),
               "--replay-mode", "offline", "--router-mode", "round_robin",
               "--report-json", str(report)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Wall Time \(ms\):\s*([\d,.]+)", done.stdout + done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"the peer failed on {trace.name}:\n{done.stderr[-2000:]}")
    return float(found.group(1).replace(",", "")) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rialto", default="target/release/rialto", help="the binary")
    parser.add_argument("--bench", default="bench fleet", help="its subcommand")
    parser.add_argument("--trace", required=True, help="Azure conversation trace (CSV)")
    parser.add_argument("--python", default=sys.executable, help="a Python with ai-dynamo")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", default="8,1000,10000")
    args = parser.parse_args()
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        export = pathlib.Path(folder)
        for workers in map(int, args.workers.split(",")):
            mine, theirs = [], []
            for _ in range(args.runs):
                case = ours(args, export)[workers]
                mine.append(case["median_s"])
                theirs.append(peer(args.python, export / f"workers-{workers}.jsonl", workers,
                                   export / "report.json"))
            ours_s, peer_s = statistics.median(mine), statistics.median(theirs)
            cases.append({
                "workers": workers, "requests": case["requests"], "runs": args.runs,
                "rialto_median_s": ours_s, "peer_median_s": peer_s,
                "rialto_runs_s": mine, "peer_runs_s": theirs,
                "rialto_requests_per_s": case["requests"] / ours_s,
                "peer_requests_per_s": case["requests"] / peer_s,
                "ratio": peer_s / ours_s,
            })
            print(f"{workers} workers: {ours_s:.4f} s, peer {peer_s:.2f} s, "
                  f"{peer_s / ours_s:.0f} times faster", file=sys.stderr)
    print(json.dumps({"provenance": "measured", "peer": "ai-dynamo replay", "cases": cases}, indent=2))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compare the CPU time of built write functions with that of telegraf-peer, in turn in one run.

  race.py [--rounds 3] [--node NODE] [--workloads devops,narrow,escapes] NAME=REPOSITORY...

Each REPOSITORY was built by `npm run build`. BENCH_DIR holds what setup.sh made, and the built telegraf-peer. Each round measures
telegraf-peer and then each build, for each workload with 40 requests of 5,000 lines; every record must reach the sink. It prints the CPU-s
for a million points, and the median of the rounds' ratios to telegraf-peer.
"""
import argparse, json, os, statistics, subprocess, sys
from bench import HERE, SINK, Stack, drive, get
import urllib.request

LOOPS = {"devops": 1, "narrow": 1, "escapes": 4}  # 200,000 points each, as 40 requests

def peer(workload):
    sink = subprocess.Popen([f"{HERE}/bin/sink", "-listen", SINK], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                get(f"http://{SINK}/stats")
                break
            except OSError:
                pass
        out = subprocess.run([f"{HERE}/telegraf-peer", "-mode", "write", "-file", f"{HERE}/data/{workload}.lp", "-loops", str(LOOPS[workload]),
                              "-endpoint", f"http://{SINK}"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        result = json.loads(out)
        stored = json.loads(get(f"http://{SINK}/stats"))["records"]
        assert stored == result["points"] and not result["write_errors"], result
        return result["cpu_s_per_mpoint"]
    finally:
        sink.kill()
        sink.wait()

def build(repository, node, workload):
    bootstrap = f"exec {node} {repository}/test/support/lambda-bootstrap.cjs"
    env = {"LAMBDA_TASK_ROOT": f"{repository}/.aws-sam/build/WriteLineProtocolFunction", "_HANDLER": "handler.handler",
           "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    stack = Stack(bootstrap, env)
    try:
        result = drive(["-lp", f"data/{workload}.lp", "-batch", "5000", "-n", "40", "-warmup", "2", "-pid", str(stack.pid), "-label", workload])
    finally:
        stack.close()
    assert result["failed"] == 0 and result["points"] == 200_000, result
    return result["cpu_s_per_mpoint"]

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("builds", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--node", default="node")
    parser.add_argument("--workloads", default="devops,narrow,escapes")
    options = parser.parse_args()
    builds = [each.split("=", 1) for each in options.builds]
    print("| workload | telegraf-peer | " + " | ".join(f"{name} | ratio" for name, _ in builds) + " |")
    print("|---" * (2 + 2 * len(builds)) + "|")
    for workload in options.workloads.split(","):
        base, results = [], {name: [] for name, _ in builds}
        for _ in range(options.rounds):
            base.append(peer(workload))
            for name, repository in builds:
                results[name].append(build(os.path.abspath(repository), options.node, workload))
        cells = []
        for name, _ in builds:
            ratios = [ours / theirs for ours, theirs in zip(results[name], base)]
            cells.append(f"{statistics.median(results[name]):.2f} | {statistics.median(ratios):.2f}")
        print(f"| {workload} | {statistics.median(base):.2f} | " + " | ".join(cells) + " |", flush=True)

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Run telegraf-peer over the bench's workloads; 200,000 points or so each, medians of 3.

    bench.py [name [repeats]]      -> NAME.jsonl (every run), NAME.md (medians)

Run it under `taskset -c 0` (which the sink escapes) to hold the program to one core.
"""
import json, os, statistics, subprocess, sys, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.environ.get("BENCH_DIR") or os.path.join(os.environ.get("TMPDIR", "/tmp"), "lp-bench")  # made by ../bench/setup.sh
SINK = "127.0.0.1:18955"
WORKLOADS = [("bird-lf.line", 100), ("devops.lp", 1), ("narrow.lp", 1), ("escapes.lp", 4)]
# mode, parser, how many times the file is read as compared with a write
RUNS = [("read", "", 5), ("decode", "", 5), ("parse", "upstream", 3), ("parse", "internal", 3),
        ("write", "upstream", 1), ("write", "internal", 1), ("agent", "upstream", 1)]
COLUMNS = ["points", "points_per_s", "cpu_s_per_mpoint", "cpu_min", "cpu_max", "sys_share", "mb_per_s", "mb_per_cpu_s",
           "max_rss_mb", "requests", "bytes_per_record", "connections", "max_in_flight", "load1"]


def http(path, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(f"http://{SINK}{path}", method=method)) as r:
        return r.read()


def run(workload, loops, mode, parser, times):
    http("/reset", "POST")
    cmd = [f"{HERE}/telegraf-peer", "-mode", mode, "-file", f"{BENCH}/data/{workload}",
           "-loops", str(loops * times), "-endpoint", f"http://{SINK}"]
    if parser:
        cmd += ["-parser", parser]
    r = json.loads(subprocess.run(cmd, check=True, stdout=subprocess.PIPE).stdout)
    assert not (r["parse_errors"] or r["write_errors"] or r["unwritten"]), r
    r["workload"] = workload
    r["sys_share"] = r["sys_s"] / r["cpu_s"]
    r["load1"] = os.getloadavg()[0]
    if mode in ("write", "agent"):
        s = r["sink"] = json.loads(http("/stats"))
        assert s["records"] == r["points"] and not s["write_errors"] and not s["other_ops"], s
        r["requests"], r["connections"] = s["write_requests"], s["connections"]
        r["bytes_per_record"], r["max_in_flight"] = s["write_bytes"] / s["records"], s["max_in_flight"]
    return r


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "results"
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    cores = f"0-{os.cpu_count() - 1}"
    sink = subprocess.Popen(["taskset", "-c", cores, f"{BENCH}/bin/sink", "-listen", SINK], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    if sink.poll() is not None:
        sys.exit(f"the sink did not start; is {SINK} taken?")
    done = {}
    try:
        with open(f"{HERE}/{name}.jsonl", "w") as out:
            for _ in range(repeats):  # a repeat is a whole round, so that a busy minute spoils one run of each
                for workload, loops in WORKLOADS:
                    if not os.path.exists(f"{BENCH}/data/{workload}"):  # bird-lf.line needs SAMPLE_LINES
                        continue
                    for mode, parser, times in RUNS:
                        r = run(workload, loops, mode, parser, times)
                        out.write(json.dumps(r) + "\n")
                        out.flush()
                        done.setdefault((workload, mode, parser), []).append(r)
    finally:
        sink.terminate()
        sink.wait()
    with open(f"{HERE}/{name}.md", "w") as out:
        out.write(f"{time.strftime('%F %T')}, medians of {repeats}\n\n| workload | mode | parser | {' | '.join(COLUMNS)} |\n")
        out.write("|" + "---|" * (3 + len(COLUMNS)) + "\n")
        for (workload, mode, parser), rs in done.items():
            cells = []
            for c in COLUMNS:
                v = [r[{"cpu_min": "cpu_s_per_mpoint", "cpu_max": "cpu_s_per_mpoint"}.get(c, c)] for r in rs
                     if c in r or c in ("cpu_min", "cpu_max")]
                m = {"cpu_min": min, "cpu_max": max}.get(c, statistics.median)(v) if v else None
                cells.append("" if m is None else f"{m:,.0f}" if m >= 1000 else f"{m:.4g}")
            out.write(f"| {workload} | {mode} | {parser} | {' | '.join(cells)} |\n")
    print(open(f"{HERE}/{name}.md").read())


if __name__ == "__main__":
    main()

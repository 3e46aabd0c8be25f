#!/usr/bin/env python3
"""Run a Lambda runtime (anything that polls AWS_LAMBDA_RUNTIME_API) against the fake Timestream sink, and
report medians. `setup.sh` first builds the tools and the workloads in the work folder (BENCH_DIR).

  bench.py --name node --cmd 'exec node REPOSITORY/test/support/lambda-bootstrap.cjs' [--suite throughput,latency,...]
  bench.py --name null --cmd 'exec bin/nullrt'            # the harness's own overhead

The command runs in the work folder. Each measurement starts a fresh runtime process, a fresh rie and a fresh sink.
Raw results go to results/NAME.jsonl, the medians to results/NAME.md.
"""
import argparse, json, os, shlex, signal, statistics, subprocess, sys, time, urllib.request
HERE = os.environ.get("BENCH_DIR") or os.path.join(os.environ.get("TMPDIR", "/tmp"), "lp-bench")  # made by setup.sh
FRONT, API, SINK = "127.0.0.1:19000", "127.0.0.1:19001", "127.0.0.1:18900"

def get(url):
    with urllib.request.urlopen(url, timeout=5) as r:
        return r.read()

def wait(fn, secs=20):
    end = time.time() + secs
    while time.time() < end:
        try:
            if fn():
                return True
        except OSError:
            pass
        time.sleep(.01)
    raise SystemExit("timed out waiting")

class Stack:
    def __init__(self, cmd, env=None, sink_args=(), start_runtime=True):
        self.procs = []
        self.log = open(f"{HERE}/logs/runtime.log", "ab")
        self.spawn([f"{HERE}/bin/sink", "-listen", SINK, *sink_args], f"{HERE}/logs/sink.log")
        self.spawn([f"{HERE}/bin/rie", "-api", API, "-front", FRONT, "-timeout", "120s"], f"{HERE}/logs/rie.log")
        wait(lambda: get(f"http://{SINK}/stats") and get(f"http://{FRONT}/stats"))
        self.env = dict(os.environ, AWS_LAMBDA_RUNTIME_API=API, AWS_ENDPOINT_URL=f"http://{SINK}", **(env or {}))
        if start_runtime:
            self.pid = self.spawn(["bash", "-c", cmd], f"{HERE}/logs/runtime.log", self.env).pid
            wait(lambda: json.loads(get(f"http://{FRONT}/stats"))["waiting"] >= 1)
    def spawn(self, argv, log, env=None):
        p = subprocess.Popen(argv, cwd=HERE, env=env, stdout=open(log, "ab"), stderr=subprocess.STDOUT)
        self.procs.append(p)
        return p
    def close(self):
        for p in reversed(self.procs):
            p.kill()
        for p in self.procs:
            p.wait()

def drive(args, env=None):
    out = subprocess.run([f"{HERE}/bin/drive", "-front", f"http://{FRONT}", "-sink", f"http://{SINK}", *args],
                         cwd=HERE, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(out)

D = "data/"
SUITES = {
    # label, drive arguments, extra environment, sink arguments
    "throughput": [
        ("bird as is (CRLF)", ["-lp", D + "bird-migration.line", "-batch", "5000", "-n", "3"], {}, []),
        ("bird-lf", ["-lp", D + "bird-lf.line", "-batch", "2001", "-n", "100", "-warmup", "2"], {}, []),
        ("devops", ["-lp", D + "devops.lp", "-batch", "5000", "-warmup", "2"], {}, []),
        ("narrow", ["-lp", D + "narrow.lp", "-batch", "5000", "-warmup", "2"], {}, []),
        ("escapes", ["-lp", D + "escapes.lp", "-batch", "5000", "-n", "40", "-warmup", "2"], {}, []),
    ],
    "latency": [
        (f"{w} x{b}", ["-lp", f"{D}{w}.lp", "-batch", str(b), "-n", str(n), "-warmup", "5"], {}, [])
        for w in ("devops", "narrow", "escapes") for b, n in ((1, 1000), (100, 400), (5000, 40))
    ],
    "create": [  # database and table checks on, everything exists already
        (f"devops x{b} checks on", ["-lp", D + "devops.lp", "-batch", str(b), "-n", str(n), "-warmup", "5"],
         {"enable_database_creation": "true", "enable_table_creation": "true"}, [])
        for b, n in ((1, 1000), (5000, 40))
    ],
    "slow": [  # the service takes 20 ms a request
        (f"devops x{b} sink 20ms", ["-lp", D + "devops.lp", "-batch", str(b), "-n", str(n), "-warmup", "2"],
         {}, ["-latency", "20ms"]) for b, n in ((1, 50), (100, 50), (5000, 20))
    ],
    "big": [  # one large request, for memory
        ("devops x15000", ["-lp", D + "devops.lp", "-batch", "15000", "-n", "10"], {}, []),
        ("narrow x20000", ["-lp", D + "narrow.lp", "-batch", "20000", "-n", "10"], {}, []),
    ],
    "cold": [],
}

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--name", required=True)
    ap.add_argument("--cmd", required=True, help="shell command of the runtime; must exec it (its pid is measured)")
    ap.add_argument("--suite", default="throughput,latency,create,slow,big,cold")
    ap.add_argument("--repeats", type=int, default=3)
    ap.add_argument("--only", default="", help="substring of the labels to run")
    a = ap.parse_args()
    rows = []
    for suite in a.suite.split(","):
        for label, args, env, sargs in SUITES[suite]:
            if a.only not in label:
                continue
            if not os.path.exists(f"{HERE}/{args[1]}"):
                print(f"skipped: {label}: no {args[1]} (set SAMPLE_LINES, then setup.sh)")
                continue
            for rep in range(a.repeats):
                st = Stack(a.cmd, env, sargs)
                try:
                    r = drive([*args, "-pid", str(st.pid), "-label", label])
                finally:
                    st.close()
                r.update(suite=suite, rep=rep, load1=os.getloadavg()[0])
                rows.append(r)
                print(json.dumps({k: r[k] for k in ("label", "points_per_s", "cpu_s_per_mpoint", "p50_ms", "p95_ms", "max_rss_mb", "failed", "load1")}), flush=True)
        if suite == "cold":
            for rep in range(a.repeats):
                st = Stack(a.cmd, start_runtime=False)
                try:
                    r = drive(["-cold", "10", "-lp", D + "devops.lp", "-batch", "1", "-label", "cold", "--", "bash", "-c", a.cmd], st.env)
                finally:
                    st.close()
                r.update(suite="cold", rep=rep, load1=os.getloadavg()[0])
                rows.append(r)
                print(json.dumps(r), flush=True)
    with open(f"{HERE}/results/{a.name}.jsonl", "a") as f:
        for r in rows:
            f.write(json.dumps(r) + "\n")
    labels = list(dict.fromkeys((r["suite"], r["label"]) for r in rows))
    cols = ["points", "requests", "failed", "points_per_s", "cpu_s_per_mpoint", "cpu_user_s", "cpu_sys_s", "cpu_ms_per_request", "max_rss_mb",
            "min_ms", "p50_ms", "p95_ms", "sink_requests", "sink_bytes", "sink_bytes_per_record", "sink_common_attributes", "sink_max_in_flight", "sink_connections", "load1"]
    out = ["| suite | label | " + " | ".join(cols) + " |", "|" + "---|" * (len(cols) + 2)]
    for s, l in labels:
        rs = [r for r in rows if r["suite"] == s and r["label"] == l]
        if s == "cold":
            out.append(f"| cold | {json.dumps({k: statistics.median(r[k] for r in rs) for k in ('spawn_to_first_response_ms_p50', 'min_ms', 'max_ms', 'cpu_s_p50', 'rss_mb_p50')})} |")
            continue
        out.append(f"| {s} | {l} | " + " | ".join(f"{statistics.median(r.get(c, 0) for r in rs):g}" if c != "sink_bytes" else str(int(statistics.median(r[c] for r in rs))) for c in cols) + " |")
    open(f"{HERE}/results/{a.name}.md", "a").write(time.strftime("%F %T") + f" suites {a.suite}, median of {a.repeats}\n\n" + "\n".join(out) + "\n\n")
    print("\n".join(out))

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""gen.py OUT: seeded workloads. Writes devops.lp, narrow.lp and escapes.lp into OUT and, if SAMPLE_LINES names the original
connector's bird-migration.line, that file (CRLF, as it ships) and bird-lf.line (LF). Same seed, same bytes."""
import hashlib, os, random, shutil, sys
OUT = sys.argv[1]
BIRD = os.environ.get("SAMPLE_LINES")
SEED = 42
T0 = 1760000000 * 10**9  # 2025-10-09, ns

def devops(path, hosts=100, steps=2000, step_s=10):
    """TSBS cpu-only: 10 tags, 10 integer fields, 100 hosts, one point per host every 10 s."""
    r = random.Random(SEED)
    regions = {"us-east-1": "abce", "us-west-1": "ab", "us-west-2": "abc", "eu-west-1": "abc",
               "eu-central-1": "ab", "ap-southeast-1": "ab", "ap-southeast-2": "ab",
               "ap-northeast-1": "ac", "sa-east-1": "abc"}
    os_, arch = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"], ["x64", "x86"]
    teams, envs = ["SF", "NYC", "LON", "CHI"], ["production", "staging", "test"]
    fields = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq",
              "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"]
    tags, vals = [], []
    for h in range(hosts):
        reg = r.choice(list(regions))
        tags.append(f"cpu,hostname=host_{h},region={reg},datacenter={reg}{r.choice(regions[reg])},rack={r.randrange(100)},"
                    f"os={r.choice(os_)},arch={r.choice(arch)},team={r.choice(teams)},service={r.randrange(20)},"
                    f"service_version={r.randrange(2)},service_environment={r.choice(envs)}")
        vals.append([r.uniform(0, 100) for _ in fields])
    with open(path, "w") as f:
        for s in range(steps):
            ts = T0 + s * step_s * 10**9
            for h in range(hosts):
                v = vals[h]
                for i in range(len(fields)):
                    v[i] = min(100.0, max(0.0, v[i] + r.gauss(0, 1)))
                f.write(tags[h] + " " + ",".join(f"{n}={int(x)}i" for n, x in zip(fields, v)) + f" {ts}\n")

def narrow(path, series=1000, steps=200):
    """1 tag, 1 float field, 1000 series."""
    r = random.Random(SEED + 1)
    val = [r.uniform(-20, 40) for _ in range(series)]
    with open(path, "w") as f:
        for s in range(steps):
            for k in range(series):
                val[k] += r.gauss(0, .1)
                f.write(f"temperature,device=dev_{k:04d} value={val[k]:.4f} {T0 + s * 10**9 + k * 1000}\n")

def escapes(path, n=50_000):
    """Quoted strings, escaped spaces/commas/equals, booleans, u and i integers, floats; 4 measurements."""
    r = random.Random(SEED + 2)
    rooms = [r"Living\ Room", r"Kitchen\,\ 2nd\ floor", r"Garage\=North", r"Öffice", r"attic\ \,\ west", "hall"]
    msgs = ['door \\"front\\" opened', "temp ok, humidity=45 %", "path C:\\\\logs\\\\app.log", "état: prêt",
            "line with = and , and spaces", "", "x" * 64, "retry 3/5 for host=web01,az=1"]
    bools = ["t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"]
    meas = ["events", "door_state", "app.log", "meter-readings"]
    with open(path, "w", encoding="utf-8") as f:
        for i in range(n):
            m = r.choice(meas)
            tags = f",room={r.choice(rooms)},sensor\\ id=s{r.randrange(500)},level={r.choice(['info', 'warn', 'err'])}"
            fs = [f'msg="{r.choice(msgs)}"', f"active={r.choice(bools)}", f"count={r.randrange(-10**6, 10**12)}i",
                  f"total={r.randrange(0, 2**62)}u", f"ratio={r.uniform(-1, 1):.6f}"]
            if r.random() < .3:
                fs.append(f'battery\\ level={r.uniform(0, 100):.2f}')
            if r.random() < .2:
                fs.append(f"big={r.uniform(1, 10):.4f}e{r.randrange(-20, 20)}")
            f.write(f"{m}{tags} {','.join(fs)} {T0 + i * 20_000_000}\n")

if __name__ == "__main__":
    if BIRD:
        shutil.copy(BIRD, os.path.join(OUT, "bird-migration.line"))
        b = open(BIRD, "rb").read().replace(b"\r", b"")  # as the sample Go client's Scanner reads it
        open(os.path.join(OUT, "bird-lf.line"), "wb").write(b"".join(l + b"\n" for l in b.split(b"\n") if l))
    devops(os.path.join(OUT, "devops.lp")); narrow(os.path.join(OUT, "narrow.lp")); escapes(os.path.join(OUT, "escapes.lp"))
    for n in sorted(os.listdir(OUT)):
        b = open(os.path.join(OUT, n), "rb").read()
        print(f"{n}: {b.count(10)} newlines, {len(b)} bytes, sha256 {hashlib.sha256(b).hexdigest()[:16]}")

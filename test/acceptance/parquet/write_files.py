"""Writes Parquet files with pyarrow. Each line of JSON describes one file: {path, seed, rows, step, columns, options}.

Columns are [name, kind, share of nulls]; the kind defines the type and the set of values. The same seed gives the same file.
"""

import json
import random
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2024, 1, 1)
TEXTS = ["ok", "", " padded ", 'say "no"', "back\\slash", "a,b=c d", "São Paulo", "日本 🙂", "NaN", "none", "line\nbreak"]
TAGS = ["UHE 1", "", " padded ", "a,b=c d", "Água", "日本 🙂", "NaN", "none", "NULL", 'say "no"']
UNITS = ["MW", " MWh ", "%", "GW", "ratio"]
REGIONS = ["norte", "sul", " sudeste ", "N"]
INTEGERS = {name: getattr(pa, name)() for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]}


def integer(random_, type_):
    bits = type_.bit_width
    low = -(2 ** (bits - 1)) if str(type_).startswith("int") else 0
    return random_.choice([low, low + 2**bits - 1, 0, 1, random_.randrange(low, low + 2**bits)])


def number(random_):
    return random_.choice([0.0, -0.0, 0.1, 1e300, 5e-324, float("nan"), float("inf"), random_.uniform(-1e6, 1e6), random_.gauss(0, 1e-9)])


def decimal(random_, precision, scale):
    return Decimal(random_.randrange(-(10**precision) + 1, 10**precision)).scaleb(-scale)


def numeric_text(random_):
    return random_.choice(["12", "-0.5", " 7.25 ", "1e3", "+4", ".5", "5.", "abc", "", "0x10", repr(random_.uniform(-1e9, 1e9))])


def times(kind, rows, step):
    at = [START + timedelta(microseconds=step * i) for i in range(rows)]
    match kind:
        case "s" | "ms" | "us":
            return pa.array(at, pa.timestamp(kind))
        case "ns":
            return pa.array([1704067200_000000007 + 1000 * step * i for i in range(rows)], pa.timestamp("ns"))
        case "zoned":
            return pa.array([t.replace(tzinfo=timezone.utc) for t in at], pa.timestamp("us", tz="America/Sao_Paulo"))
        case "date32" | "date64":
            return pa.array([date(1980, 1, 1) + timedelta(days=i) for i in range(rows)], getattr(pa, kind)())
        case "text":
            return pa.array([t.isoformat() + ("Z" if i % 2 else "") for i, t in enumerate(at)], pa.string())
    raise ValueError(kind)


def column(random_, rows, kind, nulls, step):
    if kind.startswith("time-"):
        return times(kind[5:], rows, step)
    draw, type_ = {
        **{name: (lambda type_=type_: integer(random_, type_), type_) for name, type_ in INTEGERS.items()},
        "float32": (lambda: number(random_), pa.float32()),
        "float64": (lambda: number(random_), pa.float64()),
        "boolean": (lambda: random_.random() < 0.5, pa.bool_()),
        "decimal9": (lambda: decimal(random_, 9, 2), pa.decimal128(9, 2)),
        "decimal18": (lambda: decimal(random_, 18, 6), pa.decimal128(18, 6)),
        "decimal38": (lambda: decimal(random_, 38, 12), pa.decimal128(38, 12)),
        "numeric-text": (lambda: numeric_text(random_), pa.string()),
        "region": (lambda: random_.choice(REGIONS), pa.string()),
        "source": (lambda: random_.choice(["solar", "hidrica"]), pa.string()),
        "measurement": (lambda: "generation", pa.string()),
        "unit": (lambda: random_.choice(UNITS), pa.string()),
        "tag": (lambda: random_.choice(TAGS), pa.string()),
        "tag-large": (lambda: random_.choice(TAGS), pa.large_string()),
        "tag-dictionary": (lambda: random_.choice(TAGS), pa.dictionary(pa.int16(), pa.string())),
        "text": (lambda: random_.choice(TEXTS), pa.string()),
        "text-view": (lambda: random_.choice(TEXTS), pa.string_view()),
        "struct": (lambda: {"a": random_.randrange(9), "b": [1, 2]}, pa.struct([("a", pa.int32()), ("b", pa.list_(pa.int32()))])),
        "list": (lambda: [random_.randrange(9)] * random_.randrange(4), pa.list_(pa.int64())),
        "map": (lambda: [("k", random_.random())], pa.map_(pa.string(), pa.float64())),
    }[kind]
    return pa.array([None if random_.random() < nulls else draw() for _ in range(rows)], type_)


for line in sys.stdin:
    file = json.loads(line)
    source = random.Random(file["seed"])
    table = {name: column(source, file["rows"], kind, nulls, file["step"]) for name, kind, nulls in file["columns"]}
    pq.write_table(pa.table(table), file["path"], **file["options"])

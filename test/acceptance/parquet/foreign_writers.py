"""Writes a folder of Parquet files in the way of Spark, Delta Lake, pandas, Polars, DuckDB, fastparquet and pyarrow.

Prints a line of JSON per file: its path, and either the points that pyarrow reads [time in ns, tag, value, note], or a text of the
reason with which the loader must refuse it. The only argument is the folder.
"""

import datetime as dt
import decimal
import json
import sys
import uuid
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 3000
FOLDER = Path(sys.argv[1])
START = dt.datetime(2024, 3, 1, 12)
TIMES = [START + dt.timedelta(seconds=7 * i, microseconds=i) for i in range(ROWS)]
TAGS = [None if i % 11 == 0 else f"São {i % 13}" for i in range(ROWS)]
VALUES = [None if i % 7 == 0 else i / 8 for i in range(ROWS)]
NOTES = [f'say "{i % 5}"' for i in range(ROWS)]
TIME_DIVISORS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def text(value):
    """A tag or text field: decimals with all digits, UUIDs with hyphens, booleans in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode()
    return format(value, "f") if isinstance(value, decimal.Decimal) else None if value is None else str(value)


def read(path):
    table = pq.read_table(path, columns=["t", "tag", "v", "note"], coerce_int96_timestamp_unit="us")
    rows = zip(*(table[name] for name in ["t", "tag", "v", "note"]))
    return [
        [str(t.value * (10**9 // TIME_DIVISORS[t.type.unit])), text(tag.as_py()), None if v.as_py() is None else float(v.as_py()), text(note.as_py())]
        for t, tag, v, note in rows
    ]


def tell(path, refused=None):
    print(json.dumps({"path": str(path), "refused": refused, "points": None if refused else read(path)}))


def table(**columns):
    usual = {"t": pa.array(TIMES, pa.timestamp("us")), "tag": TAGS, "v": pa.array(VALUES, pa.float64()), "note": NOTES}
    return pa.table(usual | columns)


def by_pyarrow(name, columns=None, refused=None, **options):
    path = FOLDER / f"{name}.parquet"
    pq.write_table(table(**(columns or {})), path, **options)
    tell(path, refused)


# Spark: INT96 times and no Arrow schema before 3.0, TIMESTAMP of UTC after; decimals as fixed bytes.
decimals = pa.array([decimal.Decimal(i).scaleb(-3) for i in range(ROWS)], pa.decimal128(38, 3))
by_pyarrow("spark-2", {"tag": decimals}, store_schema=False, use_deprecated_int96_timestamps=True, compression="snappy")
by_pyarrow("spark-3", {"t": pa.array(TIMES, pa.timestamp("us", tz="UTC"))}, store_schema=False, row_group_size=1000)
by_pyarrow("athena-unload", {"tag": pa.array([i % 9 for i in range(ROWS)], pa.int64())}, store_schema=False,
           use_deprecated_int96_timestamps=True, compression="gzip", data_page_version="1.0")
# Delta Lake by delta-rs: small row groups, zstd, statistics, deletion-vector-less part files.
by_pyarrow("part-00000-delta", {"note": pa.array(NOTES).dictionary_encode()}, compression="zstd", row_group_size=512, write_page_index=True)
# pyarrow itself.
by_pyarrow("pyarrow-2", {"v": pa.array([None if v is None else int(v) for v in VALUES], pa.int16())}, data_page_version="2.0", compression="brotli")
by_pyarrow("pyarrow-delta", use_dictionary=False, write_page_checksum=True,
           column_encoding={"t": "DELTA_BINARY_PACKED", "tag": "DELTA_BYTE_ARRAY", "note": "DELTA_LENGTH_BYTE_ARRAY", "v": "BYTE_STREAM_SPLIT"})
by_pyarrow("pyarrow-uuid", {"tag": pa.array([uuid.UUID(int=i) for i in range(ROWS)], pa.uuid())})
by_pyarrow("pyarrow-large", {"tag": pa.array(TAGS, pa.large_string()), "note": pa.array(NOTES, pa.string_view())}, compression="lz4")
by_pyarrow("pyarrow-list", {"tag": [["a"]] * ROWS}, "column tag is a LIST: only flat columns can be used")
by_pyarrow("pyarrow-struct", {"v": [{"a": 1.0}] * ROWS}, "column v is a struct: only flat columns can be used")
by_pyarrow("pyarrow-fixed", {"tag": pa.array([b"%04d" % i for i in range(ROWS)], pa.binary(4))}, "column tag has bytes that are not text")

# pandas, with its metadata, an index and a category.
frame = pd.DataFrame({"t": pd.to_datetime(TIMES).astype("datetime64[ns]"), "tag": pd.Categorical(TAGS), "v": np.array(VALUES, float), "note": NOTES})
frame.set_index("t").to_parquet(FOLDER / "pandas.parquet")
tell(FOLDER / "pandas.parquet")

# fastparquet, with both of its time types.
for times in ["int64", "int96"]:
    path = FOLDER / f"fastparquet-{times}.parquet"
    fastparquet.write(str(path), frame.assign(tag=frame.tag.astype(object)), times=times, row_group_offsets=[0, 1000, 2500])
    tell(path)

# Polars.
polars = pl.DataFrame({"t": TIMES, "tag": pl.Series(TAGS).cast(pl.Categorical), "v": VALUES, "note": [i % 3 == 0 for i in range(ROWS)]})
for compression in ["zstd", "lz4", "snappy"]:
    path = FOLDER / f"polars-{compression}.parquet"
    polars.write_parquet(path, compression=compression, row_group_size=700)
    tell(path)

# DuckDB: its default row groups have 122,880 rows, more than the loader reads at once.
for version in ["V1", "V2"]:
    path = FOLDER / f"duckdb-{version}.parquet"
    duckdb.sql(
        f"""COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL (i) SECOND AS t, 'tag ' || i % 50 AS tag, i * 0.25::DOUBLE AS v, (i / 3)::DECIMAL(18, 4) AS note
        FROM range(70000) r(i)) TO '{path}' (FORMAT parquet, PARQUET_VERSION {version})"""
    )
    tell(path)

"""Exports a table with awswrangler, unmodified, and reads it back in several ways.

The only argument is a JSON object: `timestream` and `s3` (endpoints), `path` (an S3 folder) and `table`. Prints one JSON object per
way: its name, its columns and its rows. Integers and times (nanoseconds since 1970) are texts.
"""

import json
import os
import sys

job = json.loads(sys.argv[1])
os.environ.update(
    AWS_ENDPOINT_URL_TIMESTREAM_QUERY=job["timestream"],
    AWS_ENDPOINT_URL_S3=job["s3"],
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)

import awswrangler as wr  # noqa: E402
import boto3  # noqa: E402
import duckdb  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv  # noqa: E402
import pyarrow.parquet  # noqa: E402

s3 = boto3.client("s3")


def cell(value):
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return str(value.value)
    if isinstance(value, (bool, str)):
        return value
    if hasattr(value, "item"):
        return cell(value.item())
    return value if isinstance(value, float) else str(value)


def show(name, columns, rows):
    print(json.dumps({"name": name, "columns": list(columns), "rows": [[cell(value) for value in row] for row in rows]}))


def show_frame(name, frame):
    columns = [frame[name] for name in frame.columns]
    show(name, frame.columns, [[column.iloc[row] for column in columns] for row in range(len(frame))])


def show_arrow(name, table):
    columns = [
        column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()
        for column in table.columns
    ]
    show(name, table.column_names, zip(*columns))


def files(path):
    """The result files by the manifest, as paths on this machine."""
    bucket, prefix = path[len("s3://") :].split("/", 1)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    [manifest] = [key for key in keys if key.endswith("_manifest.json")]
    content = json.loads(s3.get_object(Bucket=bucket, Key=manifest)["Body"].read())
    for number, file in enumerate(content["result_files"]):
        key = file["url"][len(f"s3://{bucket}/") :]
        local = os.path.join(job["folder"], f"{number}-{os.path.basename(key)}")
        s3.download_file(bucket, key, local)
        assert os.path.getsize(local) == file["file_metadata"]["content_length_in_bytes"], file
        yield local


sql = f"SELECT * FROM {job['table']}"
columns = 'time, "at", device, n, f, ok'

show_frame("query", wr.timestream.query(sql))
show_frame("unload, Parquet", wr.timestream.unload(sql, f"{job['path']}/a", unload_format="PARQUET"))
show_frame(
    "unload, Parquet, uncompressed, by partition",
    wr.timestream.unload(
        f"SELECT {columns}, note, place FROM {job['table']}",
        f"{job['path']}/b",
        unload_format="PARQUET",
        compression="NONE",
        partition_cols=["place"],
    ),
)
show_frame(
    "unload, CSV",
    wr.timestream.unload(f"SELECT {columns} FROM {job['table']}", f"{job['path']}/c", unload_format="CSV"),
)

path = f"{job['path']}/d"
wr.timestream.unload_to_files(sql, f"{path}/", unload_format="PARQUET", encryption="SSE_KMS", kms_key_id="alias/export")
for file in files(path):
    show_arrow("unload_to_files, Parquet, by pyarrow", pa.parquet.read_table(file))
    result = duckdb.sql(f"SELECT * FROM read_parquet('{file}')")
    show("unload_to_files, Parquet, by DuckDB", result.columns, [[pd.Timestamp(v) if hasattr(v, "year") else v for v in row] for row in result.fetchall()])

path = f"{job['path']}/e"
wr.timestream.unload_to_files(sql, f"{path}/", unload_format="CSV", field_delimiter="|", escaped_by="^")
names = wr.timestream.query(f"{sql} LIMIT 1").columns
for file in files(path):
    frame = pd.read_csv(file, header=None, names=names, sep="|", escapechar="^", dtype=str, keep_default_na=False, lineterminator="\n")
    show_frame("unload_to_files, CSV, by pandas", frame)
    options = {
        "read_options": pa.csv.ReadOptions(column_names=names),
        "parse_options": pa.csv.ParseOptions(delimiter="|", escape_char="^", newlines_in_values=True),
        "convert_options": pa.csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=False),
    }
    show_arrow("unload_to_files, CSV, by pyarrow", pa.csv.read_csv(file, **options))

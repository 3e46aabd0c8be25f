"""Writes with influxdb-client. Reads a job from stdin (see ../clients.ts), and prints the errors that the client reports as a JSON
array of texts."""

import json
import logging
import os
import sys

from influxdb_client import InfluxDBClient, Point, WriteOptions

job = json.load(sys.stdin)
logging.disable()
errors = []


def failed(_batch, _data, error):
    errors.append(f"{type(error).__name__}: {error.response.status} {error.response.reason}: {error.message}")


point = (
    Point(job["measurement"]).tag("city", "São Paulo").tag("path", "C:\\a, b=c")
    .field("f", -0.25).field("i", -7).field("u", 7).field("b", True).field("s", 'a "b" \\ c').time(1709294400000000007)
)
with InfluxDBClient(url=job["url"], token=job["token"], org="any", enable_gzip=job["gzip"]) as client:
    options = WriteOptions(batch_size=job["batchSize"], flush_interval=60_000)
    with client.write_api(write_options=options, error_callback=failed, retry_callback=failed) as writer:
        writer.write(bucket="any", record=job["lines"] or point)
print(json.dumps(errors), flush=True)
# Everything is written; the client's flush timer would keep the process running for a minute.
os._exit(0)

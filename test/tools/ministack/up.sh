#!/usr/bin/env bash
# Starts MiniStack (an AWS emulator, no Docker) with the changes of ministack_plus.py on 127.0.0.1 and prints its endpoint.
#
#     up.sh install    installs the pinned version into a cache folder, once per machine
#     up.sh [PORT]     the same, then starts it on the port (default 14566)
#
# Needs python3 (3.10 or newer, with venv) and curl. MINISTACK_HOME is the folder for its files: `pid`, `log`, unpacked functions.
# AUTH=true makes it check signatures and IAM policies. Stop it with: kill "$(cat "$MINISTACK_HOME/pid")"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=1.5.33
cache=${XDG_CACHE_HOME:-$HOME/.cache}/influxdb-timestream-connector
venv=$cache/ministack-$version

if ! "$venv/bin/python" -c 'import ministack' 2>/dev/null; then
  # A folder that an interrupted installation left behind is replaced.
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "ministack[full]==$version"
fi
if [ "${1:-}" = install ]; then exit 0; fi

export MINISTACK_HOME=${MINISTACK_HOME:-$cache/ministack-home}
mkdir -p "$MINISTACK_HOME"
export GATEWAY_PORT=${1:-14566} BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 LAMBDA_EXECUTOR=local MINISTACK_EDITION=full
export MINISTACK_REGION=${AWS_REGION:-us-east-1} MINISTACK_ACCOUNT_ID=000000000000
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=$MINISTACK_REGION AWS_DEFAULT_REGION=$MINISTACK_REGION
export AWS_ENDPOINT_URL=http://127.0.0.1:$GATEWAY_PORT AWS_EC2_METADATA_DISABLED=true
cd "$MINISTACK_HOME"
nohup "$venv/bin/python" "$here/ministack_plus.py" >"$MINISTACK_HOME/log" 2>&1 &
echo $! >"$MINISTACK_HOME/pid"
for _ in $(seq 1 150); do
  if curl -sf "$AWS_ENDPOINT_URL/_ministack/health" >/dev/null; then
    echo "$AWS_ENDPOINT_URL"
    exit 0
  fi
  sleep 0.1
done
tail -n 5 "$MINISTACK_HOME/log" >&2
exit 1

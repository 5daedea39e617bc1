#!/bin/sh
# Runs a copy of the harness in $1 with this project's driver: five rounds, the lower bound between them.
# PYTHON has this project, MOCK has what the harness's mock needs; PORT is where the mock listens.
set -eu
work=$(mktemp -d)
cp -r "$1/." "$work"
chmod -R u+w "$work"
cp benchmarks/peers/guardrail_driver.py "$work/drivers/guardrail.py"
cd "$work"

export MOCK_URL="http://127.0.0.1:${PORT:=8099}" OPENAI_API_KEY=none
"$MOCK" mock_server.py --port "$PORT" &
mock=$!
trap 'kill $mock; rm -rf "$work"' EXIT
sleep 2
kill -0 $mock # it listens, or all that follows would measure something else

for round in 1 2 3 4 5; do
    echo "round $round"
    "$PYTHON" -W ignore bench.py guardrail latency throughput
    "$PYTHON" -W ignore bench.py half_lean latency throughput
done
"$PYTHON" -W ignore firstcall.py floor guardrail

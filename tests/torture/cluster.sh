#!/bin/sh
# The torture of several gateways that share a database, shortly; skipped where PostgreSQL's
# server is not installed. The seed is printed; `make torture-cluster` does it at length.
exec tests/torture/torture --seed random --gateways 4 --creates 120 --seconds 150 --clients 12

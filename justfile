# The same commands as `cargo xtask`, shorter. https://just.systems

# List the recipes.
default:
    @just --list

# Start the whole system on this machine; Ctrl-C stops it.
up *ARGS:
    cargo xtask up {{ARGS}}

# Stop the system and keep its data.
down:
    cargo xtask down

# Stop the system and delete its data.
reset:
    cargo xtask reset

# List the running processes with their addresses.
status *ARGS:
    cargo xtask status {{ARGS}}

# Show the log of a process.
logs NAME *ARGS:
    cargo xtask logs {{NAME}} {{ARGS}}

# Run every check and every test.
test *ARGS:
    cargo xtask test {{ARGS}}

# Check the invariants over the databases of the running system.
audit:
    cargo xtask audit

# Measure checkouts or tracing on systems of their own.
bench *ARGS:
    cargo xtask bench {{ARGS}}

# Check dependencies: layers, licences, advisories.
deny:
    cargo xtask check-layers
    cargo deny check

# Regenerate the metadata of the checked SQL queries.
sqlx:
    cargo xtask sqlx

# Run everything on Kubernetes on this machine, in a cluster made by kind.
k8s-local:
    k8s/local

# Check the files that put Kong or Traefik in front of the shop; builds Traefik once.
proxies:
    python3 -m venv target/proxies-venv
    target/proxies-venv/bin/pip install --quiet jsonschema pyyaml
    target/proxies-venv/bin/python deploy/kong/check.py
    target/proxies-venv/bin/python deploy/traefik/check.py

# The same commands as `cargo xtask`, shorter. https://just.systems

# What there is.
default:
    @just --list

# The whole system on this machine; Ctrl-C stops it.
up *ARGS:
    cargo xtask up {{ARGS}}

# Stop it; the data stays.
down:
    cargo xtask down

# Stop it and delete its data.
reset:
    cargo xtask reset

# What runs, and where.
status *ARGS:
    cargo xtask status {{ARGS}}

# A process's log.
logs NAME *ARGS:
    cargo xtask logs {{NAME}} {{ARGS}}

# Every check and every test.
test *ARGS:
    cargo xtask test {{ARGS}}

# The invariants over the live databases.
audit:
    cargo xtask audit

# Measure the running system.
bench *ARGS:
    cargo xtask bench {{ARGS}}

# Dependencies: direction, licences, advisories.
deny:
    cargo xtask check-layers
    cargo deny check

# Write the metadata of the checked SQL queries anew.
sqlx:
    cargo xtask sqlx

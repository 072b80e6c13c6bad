# All of Souk's programs are built once, then each image takes its own: docker build --build-arg PROGRAM=orders .
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ make perl pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /souk
COPY . .
# The toolchain is the image's own; the file pins the same version for rustup.
RUN rm rust-toolchain.toml
# Downloads and compiled crates stay in caches between builds, so only what changed is compiled again.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/souk/target \
    SQLX_OFFLINE=true cargo build --release --locked --bin users --bin orders --bin inventory --bin payments --bin psp --bin gateway --bin xtask \
    && mkdir /programs \
    && cd target/release && cp users orders inventory payments psp gateway xtask /programs/

FROM debian:trixie-slim
ARG PROGRAM
RUN useradd --system --uid 10001 --no-create-home souk
COPY deploy/healthcheck /usr/local/bin/healthcheck
COPY --from=build /programs/${PROGRAM} /usr/local/bin/program
COPY gateway/gateway.yaml /etc/souk/gateway.yaml
USER souk
ENTRYPOINT ["/usr/local/bin/program"]

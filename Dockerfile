# All of Souk's programs are built once, then each image takes its own: docker build --build-arg PROGRAM=orders .
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ make perl pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /souk
# Only what is compiled, so that nothing else starts a build. The toolchain is the image's own.
COPY Cargo.toml Cargo.lock ./
COPY gateway gateway
COPY migrations migrations
COPY services services
COPY shared shared
COPY tests tests
COPY xtask xtask
COPY deploy/build /usr/local/bin/build-programs
# Downloads and compiled crates stay in caches between builds, so only what changed is compiled again.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/souk/target,sharing=locked build-programs

FROM node:24-trixie-slim AS storefront
WORKDIR /storefront
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY frontend .
RUN npm run build

FROM debian:trixie-slim AS runtime
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin souk
COPY deploy/healthcheck /usr/local/bin/healthcheck
COPY gateway/gateway.yaml /etc/souk/gateway.yaml
USER souk
ENTRYPOINT ["/usr/local/bin/program"]

FROM runtime AS program
# An HTTP client is not made without roots, not even one for plain HTTP, and the base image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
ARG PROGRAM
COPY --from=build /programs/${PROGRAM} /usr/local/bin/program

# The gateway serves the storefront, too: --target gateway.
FROM program AS gateway
COPY --from=storefront /storefront/dist /srv/storefront

FROM program

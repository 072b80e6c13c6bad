# Builds all of Souk's programs once; each image contains one of them: docker build --build-arg PROGRAM=orders .
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ make perl pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /souk
# Copy only what is compiled, so that other changes do not cause a build. The toolchain is that of the image.
COPY Cargo.toml Cargo.lock ./
COPY gateway gateway
COPY k8s/policies k8s/policies
COPY migrations migrations
COPY services services
COPY shared shared
COPY tests tests
COPY xtask xtask
COPY deploy/build /usr/local/bin/build-programs
# Downloads and compiled crates are cached between builds, so only changed crates are compiled again.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/souk/target,sharing=locked build-programs

FROM node:24-trixie-slim AS storefront
WORKDIR /storefront
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY frontend .
RUN npm run build

FROM debian:trixie-slim AS runtime
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin souk
# Where certificates are mounted, in programs and in the task that creates them. New volumes take over the owner of the folder.
RUN for name in ca gateway users orders inventory payments auditor notifications; do \
      install --directory --owner=souk --group=souk --mode=700 "/tls/$name"; \
    done && install --directory --owner=souk --group=souk --mode=700 /etc/souk/tls
COPY deploy/healthcheck /usr/local/bin/healthcheck
COPY gateway/gateway.yaml /etc/souk/gateway.yaml
USER souk
ENTRYPOINT ["/usr/local/bin/program"]

FROM runtime AS program
# HTTP clients need root certificates even for plain HTTP, and the base image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
ARG PROGRAM
COPY --from=build /programs/${PROGRAM} /usr/local/bin/program

# The gateway also serves the storefront: --target gateway.
FROM program AS gateway
COPY --from=storefront /storefront/dist /srv/storefront

FROM program

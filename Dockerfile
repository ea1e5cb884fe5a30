# syntax=docker/dockerfile:1
# A static binary on an empty image: nothing to patch but fundmatch itself, no shell, no package manager.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t fundmatch .
#   docker run --rm --network host -v fundmatch:/var/lib/fundmatch fundmatch serve --demo
#
# --network host, because without TLS and authentication the server listens on loopback alone.

ARG GO_VERSION=1.26
FROM golang:${GO_VERSION} AS build
WORKDIR /src
# Modules first: they change less often than the code, so the layer is used again.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    make build VERSION="${VERSION}"
# What the empty image lacks: a /tmp, and a data directory for the service's user. Each lies in a directory of its own,
# because COPY keeps the mode of what a directory holds, not of the directory.
RUN mkdir -p /root-owned/tmp /service-owned/fundmatch && chmod 1777 /root-owned/tmp && chmod 0700 /service-owned/fundmatch

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/local/go/lib/time/zoneinfo.zip
ENV ZONEINFO=/usr/local/go/lib/time/zoneinfo.zip
COPY --from=build /root-owned/ /
COPY --from=build --chown=65532:65532 /service-owned/ /var/lib/
COPY --from=build /src/bin/fundmatch /usr/bin/fundmatch
COPY LICENSE /usr/share/doc/fundmatch/
# Numbers, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/fundmatch
VOLUME /var/lib/fundmatch
EXPOSE 8080 9090 9100
# serve drains on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/fundmatch"]
CMD ["serve"]

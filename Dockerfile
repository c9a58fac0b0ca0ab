# syntax=docker/dockerfile:1
# Two stages: build with Go, run on an image that holds nothing but certificates and a user without rights.
#   docker build --target server  .    the dashboard and control plane (the default)
#   docker build --target gateway .    the data plane
#   docker build --target cli     .    the command-line tool

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
ENV CGO_ENABLED=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    mkdir -p /out/bin /out/data && \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/bin/ \
      ./app/tameflare-server ./gateway/tameflare-gateway ./cli/tameflare

FROM gcr.io/distroless/static-debian12:nonroot AS gateway
COPY --from=build /out/bin/tameflare-gateway /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/tameflare-gateway"]

FROM gcr.io/distroless/static-debian12:nonroot AS cli
COPY --from=build /out/bin/tameflare /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/tameflare"]

# Last, so that it is what a build without --target makes.
FROM gcr.io/distroless/static-debian12:nonroot AS server
COPY --from=build /out/bin/tameflare-server /usr/local/bin/
# An empty folder of the right owner: a volume mounted here takes it over.
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV TAMEFLARE_ADDR=0.0.0.0:8080 \
    TAMEFLARE_GATEWAY_ADDR=0.0.0.0:8443 \
    TAMEFLARE_DATA_DIR=/data \
    LOG_FORMAT=json
VOLUME /data
EXPOSE 8080 8443
ENTRYPOINT ["/usr/local/bin/tameflare-server"]

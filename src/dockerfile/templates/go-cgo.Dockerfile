# A module is a binding to C: built and run on the same Debian.
{{assets}}

FROM golang:{{go}}-bookworm AS build
WORKDIR /src
{{modules}}

{{sources}}
RUN CGO_ENABLED=1 go build -trimpath -tags timetzdata -ldflags="-s -w" -o /out/{{name}} {{package}}

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
ENV PORT={{port}}
WORKDIR /app
{{directories}}
COPY --from=build /out/{{name}} /usr/local/bin/{{name}}

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD ["/usr/local/bin/{{name}}"]

{{assets}}

FROM rust:{{rust}}-bookworm AS build
WORKDIR /src
{{dependencies}}

{{sources}}
RUN {{touch}}cargo build --release{{locked}}{{package}} --bin {{name}}

FROM debian:bookworm-slim
{{libraries}}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
ENV PORT={{port}}
{{host}}
WORKDIR /app
{{directories}}
COPY --from=build /src/target/release/{{name}} /usr/local/bin/{{name}}

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD ["/usr/local/bin/{{name}}"]

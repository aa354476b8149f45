{{assets}}

FROM golang:{{go}}-alpine AS build
WORKDIR /src
{{modules}}

{{sources}}
# Time zones go into the binary: alpine has none.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags="-s -w" -o /out/{{name}} {{package}}

FROM alpine:3.22
RUN adduser -D -H -u 10001 app
ENV PORT={{port}}
WORKDIR /app
{{directories}}
COPY --from=build /out/{{name}} /usr/local/bin/{{name}}

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD ["/usr/local/bin/{{name}}"]

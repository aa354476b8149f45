FROM denoland/deno:{{deno}} AS build
WORKDIR /app
{{dependencies}}

COPY . .
{{cache}}
{{build}}

FROM denoland/deno:{{deno}}
ENV PORT={{port}}
WORKDIR /app
RUN chown 1993:1993 /app
COPY --from=build --chown=1993:1993 /deno-dir /deno-dir
COPY --from=build --chown=1993:1993 /app ./

# The image's own user deno.
USER 1993:1993
EXPOSE {{port}}
{{healthcheck}}
CMD {{command}}

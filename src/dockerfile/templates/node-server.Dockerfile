{{build_stage}}

FROM {{image}}
ENV NODE_ENV=production PORT={{port}}
{{host}}
WORKDIR /app
RUN chown 1000:1000 /app
COPY --from=build --chown=1000:1000 /app ./

USER 1000:1000
EXPOSE {{port}}
{{healthcheck}}
CMD {{command}}

{{build_stage}}

FROM eclipse-temurin:{{java}}-jre
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
WORKDIR /app
COPY --from=build /out/ ./

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD {{command}}

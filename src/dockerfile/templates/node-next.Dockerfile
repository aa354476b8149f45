# Next.js with its standalone output: the server and the few packages that it traced.
{{build_stage}}

FROM {{image}}
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOSTNAME=0.0.0.0 PORT=3000
WORKDIR /app
RUN chown 1000:1000 /app
{{public}}
COPY --from=build --chown=1000:1000 /app/{{dist}}/standalone ./
COPY --from=build --chown=1000:1000 /app/{{dist}}/static ./{{dist}}/static

USER 1000:1000
EXPOSE 3000
{{healthcheck}}
CMD ["{{program}}", "server.js"]

{{node}}

FROM elixir:{{elixir}} AS build
{{node_here}}
ENV MIX_ENV=prod
WORKDIR /src
RUN mix local.hex --force && mix local.rebar --force
{{manifests}}
{{packages}}

{{sources}}
RUN mix compile
{{assets}}
RUN mix release {{release}}

# The release brings its own Erlang; the same image has the libraries that it was built with.
FROM elixir:{{elixir}}-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /app
ENV HOME=/app LANG=C.UTF-8 PORT={{port}}
{{server}}
WORKDIR /app
COPY --from=build --chown=10001:10001 /src/_build/prod/rel/{{release}} ./

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD ["/app/bin/{{release}}", "start"]

{{node}}

# The full image has the compilers and libraries that gems are built with.
FROM ruby:{{ruby}} AS build
{{node_here}}
ENV BUNDLE_PATH=/usr/local/bundle BUNDLE_WITHOUT=development:test
{{frozen}}
WORKDIR /app
{{manifests}}
RUN bundle install && rm -rf "$BUNDLE_PATH"/ruby/*/cache
{{packages}}

{{sources}}
{{precompile}}

FROM ruby:{{ruby}}-slim
{{libraries}}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /app
ENV BUNDLE_PATH=/usr/local/bundle BUNDLE_WITHOUT=development:test PORT={{port}}
{{frozen}}
{{env}}
WORKDIR /app
COPY --from=build /usr/local/bundle /usr/local/bundle
COPY --from=build --chown=10001:10001 /app ./

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD {{command}}

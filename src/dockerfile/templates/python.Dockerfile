{{build_stage}}

{{assets}}

FROM python:{{version}}-slim
{{libraries}}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /app
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT={{port}}
{{path}}
WORKDIR /app

{{packages}}
{{sources}}
{{collect}}

USER 10001:10001
EXPOSE {{port}}
{{healthcheck}}
CMD {{command}}

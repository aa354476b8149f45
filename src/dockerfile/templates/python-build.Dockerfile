# The full image has the compilers that packages without a wheel need; only /opt/venv leaves this stage.
FROM python:{{version}} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
{{tool}}
RUN python -m venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
{{env}}
WORKDIR /app

{{install}}
{{extra}}

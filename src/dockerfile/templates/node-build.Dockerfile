FROM {{image}} AS {{stage}}
WORKDIR /app
{{env}}
{{setup}}

{{manifests}}
RUN {{install}}

{{sources}}
{{build}}
{{prune}}

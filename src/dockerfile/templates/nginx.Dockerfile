{{before}}

FROM nginxinc/nginx-unprivileged:1.28-alpine
# Names with a leading dot (.git, .env) are never served.
RUN printf '%s\n' \
    'server {' \
    '    listen 8080;' \
    '    root /usr/share/nginx/html;' \
    '    location ~ /\.(?!well-known/) { return 404; }' \
    '    location / { try_files {{tried}}; }' \
    '}' > /etc/nginx/conf.d/default.conf
{{copy}}

USER 101:101
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
CMD ["nginx", "-g", "daemon off;"]

# Platform requirements are those of the last stage, not of composer's own image.
FROM composer:2 AS vendor
WORKDIR /app
{{manifests}}
RUN composer install --no-dev --no-interaction --no-scripts --no-autoloader --prefer-dist --ignore-platform-reqs
COPY . .
RUN composer dump-autoload --no-dev --optimize --no-scripts --ignore-platform-reqs

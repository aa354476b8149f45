{{vendor}}

{{assets}}

FROM php:{{php}}-apache
{{extensions}}
# 8080 needs no privilege. Names with a leading dot (.git, .env) are never served.
RUN a2enmod rewrite \
    && sed -ri 's/^Listen 80$/Listen 8080/' /etc/apache2/ports.conf \
    && sed -ri 's/:80>/:8080>/{{root}}' /etc/apache2/sites-available/000-default.conf \
    && printf '%s\n' 'ServerName localhost' 'RedirectMatch 404 "/\.(?!well-known/)"' > /etc/apache2/conf-enabled/app.conf \
    && mv "$PHP_INI_DIR/php.ini-production" "$PHP_INI_DIR/php.ini"
{{env}}
WORKDIR /var/www/html
{{sources}}
{{writable}}

# www-data
USER 33:33
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["php", "-r", "exit(@fsockopen('127.0.0.1', 8080) ? 0 : 1);"]
CMD ["apache2-foreground"]

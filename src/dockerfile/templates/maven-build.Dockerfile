FROM {{image}} AS build
WORKDIR /src
{{dependencies}}

COPY . .
RUN {{mvn}} -DskipTests{{module}} {{goals}}
RUN {{out}}

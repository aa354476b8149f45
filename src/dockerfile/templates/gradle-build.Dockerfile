FROM {{image}} AS build
WORKDIR /src
{{dependencies}}

COPY . .
RUN {{gradle}} {{task}}
RUN mkdir /out && {{out}}

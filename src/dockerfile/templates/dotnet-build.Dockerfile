FROM mcr.microsoft.com/dotnet/sdk:{{sdk}} AS build
WORKDIR /src
{{restore}}

COPY . .
RUN dotnet publish {{project}} --configuration Release --output /out -p:UseAppHost=false

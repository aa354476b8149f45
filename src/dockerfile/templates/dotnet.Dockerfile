{{build_stage}}

FROM mcr.microsoft.com/dotnet/{{image}}:{{runtime}}
{{urls}}
WORKDIR /app
COPY --from=build /out ./

# The number of the image's own user app, from .NET 8 on.
USER 1654:1654
EXPOSE {{port}}
{{healthcheck}}
CMD ["dotnet", "{{name}}.dll"]

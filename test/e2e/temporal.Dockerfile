# Stands in for the image that the chart's dev server names, which no registry can be asked for here: the same program.
FROM scratch
COPY temporal /usr/local/bin/temporal
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/temporal"]

# The one image of the services, the dashboard, the gates and the socket proxy. The stores have images of their own.
#
#   docker build --build-arg VERSION=v1.2.3 -t stillup:v1.2.3 .
#
# A folder "vendor" in the context (go mod vendor) is used where there is one: then the build needs no network.
FROM golang:1.26.8-alpine AS build
WORKDIR /src
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.stamp=$VERSION" -o /stillup .

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Stillup" \
      org.opencontainers.image.description="Kill a container. See what is still up." \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.source="https://github.com/stillup/stillup"
COPY --from=build /stillup /stillup
USER 65532:65532
ENTRYPOINT ["/stillup"]

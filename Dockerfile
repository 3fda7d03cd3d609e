# The operator's image: locked dependencies first (they change rarely), then the project; nothing of the emulators runs in it.
FROM docker.io/library/python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/batchaccess
COPY requirements/build.txt requirements/run.txt /src/requirements/
RUN /opt/batchaccess/bin/pip install --require-hashes -r /src/requirements/run.txt \
 && python3 -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes -r /src/requirements/build.txt
COPY pyproject.toml README.md LICENSE /src/
COPY crds /src/crds
COPY operator /src/operator
WORKDIR /src
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /wheel \
 && /opt/batchaccess/bin/pip install --no-deps /wheel/*.whl

FROM docker.io/library/python:3.11-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Azure Batch Access Operator" \
      org.opencontainers.image.description="Keeps the network access of Azure Batch pools exactly as declared in Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/batchaccess /opt/batchaccess
# 65532 is in no /etc/passwd, and the Kubernetes client asks for a home when it is imported: not every runtime makes one up.
ENV PATH=/opt/batchaccess/bin:$PATH HOME=/ PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["batchaccess"]
CMD ["run"]

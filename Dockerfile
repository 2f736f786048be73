# Enlarger on the CPU. Weights are fetched into /data when a model is first used.
#   docker build -t enlarger .
#   docker run -p 127.0.0.1:8001:8001 -e ENLARGER_TOKEN=... -v ./storage:/storage -v enlarger-cache:/cache -v enlarger-data:/data enlarger
ARG NODE=22
ARG PYTHON=3.12

FROM node:${NODE}-slim AS web
WORKDIR /build/web
COPY web ./
RUN npm ci && npm run build

FROM python:${PYTHON}-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PATH=/opt/enlarger/bin:$PATH \
    ENLARGER_STORAGE_DIR=/storage \
    ENLARGER_CACHE_DIR=/cache \
    ENLARGER_DATA_DIR=/data

# what unpacks compressed rars; Enlarger reads all other books by itself
RUN apt-get update \
 && apt-get install --yes --no-install-recommends unar libarchive-tools \
 && rm -rf /var/lib/apt/lists/*

# a mirror for pip: docker build --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
WORKDIR /build
COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE ./
COPY src ./src
COPY --from=web /build/src/enlarger/server/ui ./src/enlarger/server/ui
RUN python -m venv /opt/enlarger \
 && /opt/enlarger/bin/pip install --constraint constraints.txt .

COPY docker/entrypoint.sh /usr/local/bin/enlarger-entrypoint
RUN chmod 755 /usr/local/bin/enlarger-entrypoint

# the entrypoint gives these to PUID:PGID (1000:1000) and runs as that user
VOLUME ["/storage", "/cache", "/data"]
WORKDIR /storage
EXPOSE 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8001/healthz', timeout=4)"]
ENTRYPOINT ["enlarger-entrypoint"]
CMD ["enlarger", "serve", "--host", "0.0.0.0", "--port", "8001"]

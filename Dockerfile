# One image for web, worker, beat and the one-shot commands: see docker-compose.yml.
FROM python:3.13.12-slim-bookworm AS packages
COPY requirements.production.lock /build/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir uv==0.13.9 \
    && /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r /build/requirements.production.lock \
    && /opt/venv/bin/pip uninstall -y uv

FROM python:3.13.12-slim-bookworm
# Pango and a font with the Romanian letters, for PDF files.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
# The folders that volumes are mounted on belong to the user: a fresh volume takes that over.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin restartix \
    && install -d -o restartix -g restartix /data /keys /store
COPY --from=packages /opt/venv /opt/venv
COPY . /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RESTARTIX_NO_BOOTSTRAP=on \
    XDG_CACHE_HOME=/tmp \
    DATA_DIR=/data
WORKDIR /app
USER restartix
EXPOSE 9000
CMD ["python", "-m", "restartix.web", "--host", "0.0.0.0", "--port", "9000"]

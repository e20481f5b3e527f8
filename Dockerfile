# An image with the command `sij-audit`: what runs is what requirements.lock pins by hash. `make image` builds it.
#
# The base image is pinned by its tag, and Dependabot keeps it.
FROM python:3.11-slim AS build

# The version comes from git, which is not copied: `make image` passes it on.
ARG VERSION
ENV SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SIJ_AUDIT=${VERSION:-0.0.0} \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

WORKDIR /build
RUN python -m venv /opt/sij-audit
COPY requirements.lock .
RUN /opt/sij-audit/bin/pip install --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY flows flows
COPY transforms transforms
COPY sql sql
COPY sij_audit sij_audit
RUN /opt/sij-audit/bin/pip install --no-deps --no-build-isolation . \
    && /opt/sij-audit/bin/pip check \
    && /opt/sij-audit/bin/pip uninstall --yes pip

FROM python:3.11-slim

# Members' data lie in mounted folders; the user may be overridden by the one that owns them.
RUN useradd --uid 10001 --create-home --home-dir /data sij-audit
COPY --from=build /opt/sij-audit /opt/sij-audit
ENV PATH=/opt/sij-audit/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
ENTRYPOINT ["sij-audit"]

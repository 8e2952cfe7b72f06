# Only the mock, from this checkout, with every package pinned by hash. The verifier is not part of it; run it in your CI.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/redis.lock requirements/redis.lock
RUN python -m venv --without-pip /opt/mock \
    && pip --python /opt/mock/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/redis.lock
COPY pyproject.toml README.md LICENSE ./
COPY spec spec
COPY mock_server mock_server
COPY contract_tests contract_tests
RUN pip --python /opt/mock/bin/python install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin mock
COPY --from=build /opt/mock /opt/mock
USER 10001
# Other machines can reach this address: control requests need FEEDBACK_MOCK_CONTROL_TOKEN, or the token in the log.
ENV FEEDBACK_MOCK_HOST=0.0.0.0 FEEDBACK_MOCK_PORT=8080 PYTHONUNBUFFERED=1
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --start-period=5s --retries=3 \
    CMD ["/opt/mock/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/_control/health', timeout=1)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/mock/bin/feedback-mock"]

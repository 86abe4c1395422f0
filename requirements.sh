#!/bin/sh
# Write requirements.lock (run) and requirements-dev.lock (run and develop) again, for every Python from 3.11 on.
set -eu
compile() {
    echo '# Pinned dependencies; `make lock` writes this file again.'
    printf 'hatchling>=1.27\neditables>=0.5\n' | uv pip compile --quiet --universal --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml - "$@"
}
compile > requirements.lock.new
mv requirements.lock.new requirements.lock
compile --group dev --constraint requirements.lock > requirements-dev.lock.new
mv requirements-dev.lock.new requirements-dev.lock

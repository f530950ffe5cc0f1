# `make` checks what a change needs before it is pushed: the linters and the fast tests.
.DEFAULT_GOAL := check
FAST = --ignore=tests/e2e --ignore=tests/clients/live --ignore=tests/playground --ignore=tests/architectures

.PHONY: check lint types fast test coverage docs screenshots bench gate

check: lint fast

lint:
	ruff check .
	ruff format --check .

types:
	mypy

fast:  # without browser tests, end-to-end tests and the matrix of architectures
	pytest -q -n auto $(FAST)

test:
	pytest -q -n auto

coverage:  # all tests, and their branch coverage
	pytest -q -n auto --cov --cov-report=term:skip-covered

docs:  # regenerate the tables of docs/api.md and docs/families.md
	python -m tests.api.openai.reference
	python -m tests.architectures.document

screenshots:  # retake the screenshots of the playground and the admin in docs/images
	python -m tests.playground.screenshots
	python -m tests.admin.screenshots

bench:
	python manage.py bench --quick

gate:
	.ci/run

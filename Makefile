# The verbs of the project; each sets up what it needs first.
.PHONY: demo test lint bench setup

demo: ## A first call on this machine, start to end
	@scripts/setup local
	@.venv/bin/outdial demo

test: ## Everything, peers included
	@scripts/peers
	@scripts/setup local,test
	@scripts/test

lint: ## Formatter, linter, strict types
	@scripts/setup local,lint
	@scripts/lint

bench: ## Each figure beside its floor
	@scripts/peers
	@scripts/setup local,test
	@.venv/bin/python -m bench

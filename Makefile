# The verbs of the project; each sets up what it needs first.
.PHONY: demo test lint fuzz bench docs

demo: ## A first call on this machine, start to end
	@scripts/setup local
	@.venv/bin/outdial demo

test: ## Everything, peers included
	@scripts/peers
	@scripts/setup local,test
	@scripts/moto
	@scripts/test

lint: ## Formatter, linter, strict types
	@scripts/setup local,test,lint
	@scripts/lint

fuzz: ## Cases never seen before, five rounds
	@scripts/setup local,test
	@scripts/fuzz

bench: ## Each figure beside its floor
	@scripts/peers
	@scripts/setup local,test
	@.venv/bin/python -m bench

docs: ## Write the generated pages anew
	@scripts/setup local,test
	@scripts/docs
	@.venv/bin/python scripts/make_compatibility

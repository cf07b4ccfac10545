# Everything here works from any directory: make -C path/to/sluice test

scripts := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))scripts

.PHONY: help demo test soak lint bench build dependencies clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: ## the whole story on this machine: control plane, PostgreSQL, load, migrations, a killed operator
	@$(scripts)/demo

test: ## the tests, against real servers; a part of them with FILTER=regex
	@$(scripts)/test

soak: ## the tests in their long form: more seeds, more kills
	@SLUICE_SOAK=1 $(scripts)/test

lint: ## the format of the code, the scripts, the manifests, the chart, the Containerfile
	@$(scripts)/lint

bench: ## the measurements, as tables and .build/bench/*.json; one of them with NAME=...
	@$(scripts)/bench

build: dependencies ## the sluice program, optimised
	@cd $(scripts)/.. && swift build --configuration release --product sluice

dependencies: ## installs what is missing to build and test
	@$(scripts)/dependencies

clean: ## removes what was built; the control plane, in the user's cache, stays
	@rm -rf $(scripts)/../.build

# A thin front for CMake: `cmake --preset release && cmake --build build` does the same as
# `make build` once scripts/setup.sh has run.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

# `make engine` leaves the name of the engine it built here, and everything uses that one from then
# on, until `make clean`.
WASMTIME_DIR ?= $(shell cat build/engine 2>/dev/null)
export WASMTIME_DIR

# WERROR=ON makes warnings errors from then on, WERROR=OFF takes that back.
configure = cmake --preset $(1) -DWASMTIME_DIR='$(WASMTIME_DIR)' \
	$(if $(WERROR),-DUBIQ_WERROR=$(WERROR)) >/dev/null
compile = cmake --build --preset $(1) --parallel $(JOBS)
check = ctest --preset $(1) --parallel $(JOBS)

.PHONY: build run test test-release test-asan test-tsan bench engine install format clean setup \
	setup-test
.NOTPARALLEL:

build: setup
	@$(call configure,release)
	@$(call compile,release)

run: setup
	@$(call configure,release)
	@$(call compile,release) --target ubiq
	@examples/run.sh $(if $(LISTEN),--listen '$(LISTEN)')

test: test-release test-asan

test-release: setup-test
	@$(call configure,release)
	@$(call compile,release)
	@$(call check,release)

test-asan test-tsan: test-%: setup-test
	@$(call configure,$*)
	@$(call compile,$*)
	@$(call check,$*)

bench: setup-test
	@$(call configure,release)
	@$(call compile,release)
	@bench/run.sh

engine:
	@mkdir -p build
	@scripts/engine.sh >build/engine.new
	@mv build/engine.new build/engine
	@$(MAKE) --no-print-directory build WASMTIME_DIR="$$(cat build/engine)"

install: build
	@cmake --install build --prefix '$(abspath $(PREFIX))'

format:
	@git ls-files -co --exclude-standard '*.c' '*.h' '*.cc' | xargs clang-format-14 -i

clean:
	@rm -rf build build-debug build-asan build-tsan

setup:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

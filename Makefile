# lbcore. GNU make; no configure step. Everything is built in $(BUILD); `make V=1` shows the commands.

CC         ?= cc
AR         ?= ar
CFLAGS     ?= -O2 -g
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=
BUILD      ?= build
V          ?= 0
# seconds of each stress test, and of the whole unit test run under valgrind the cases to leave out
STRESS_SECONDS ?= 2

VERSION := $(shell awk '/define LB_VERSION_(MAJOR|MINOR|PATCH) /{printf "%s%s", s, $$3; s="."}' include/lbcore/base.h)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wcast-align -Wvla -Wundef -Wwrite-strings
# warnings are errors where nobody reads them
ifdef CI
WARNINGS += -Werror
endif

# -fPIC: plug-ins (nginx, Apache) link the archive into shared objects; hidden: they do not re-export it.
# One section for each function: what a program does not use is not linked in.
# No vectors made of neighbouring fields: what was stored field by field and is loaded as one vector stalls (10 % of a
# select and its report).
LIB_FLAGS  := -std=c11 $(WARNINGS) -Ilib -Iinclude -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections \
	-fno-tree-slp-vectorize -MMD -MP
# gcc: no padding before jumps, loops and labels, and only what says `inline` is put into its callers: each 4 % of the archive, and
# not an instruction more on the ordinary way
LIB_FLAGS  += $(if $(shell $(CC) --version 2>/dev/null | grep -i clang),,-fno-align-jumps -fno-align-loops -fno-align-labels \
	-fno-inline-small-functions)
HOST_FLAGS := -std=c11 $(WARNINGS) -Iinclude -MMD -MP
# tests look inside
TEST_FLAGS := $(HOST_FLAGS) -Ilib -Itests -I$(BUILD) $(shell pkg-config --cflags check jansson 2>/dev/null)
TEST_LIBS  := $(shell pkg-config --libs check jansson 2>/dev/null || echo -lcheck -ljansson)

LIB      := $(BUILD)/liblbcore.a
LIB_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*/*.c))
TEST_SRC := $(wildcard tests/test_*.c tests/vectors/test_*.c)
TEST_OBJ := $(patsubst %.c,$(BUILD)/%.o,tests/main.c tests/support.c $(TEST_SRC))
# the simulator: all but its main and what only that one needs is linked into the tests, too
SIM_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c))
SIM_CORE := $(filter-out %/main.o %/chart.o,$(SIM_OBJ))
BENCH_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c))
GOLDEN_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/golden/*.c))
DEMO_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard examples/demo/*.c))
STRESS   := $(patsubst tests/stress/%.c,$(BUILD)/stress-%,$(wildcard tests/stress/*.c))
ALL_C    := $(wildcard lib/*/*.[ch] include/lbcore/*.h examples/*.c examples/*/*.[ch] tests/*.[ch] tests/*/*.[ch])

ifeq ($(V),0)
Q := @
SAY = @printf '  %-5s %s\n'
else
Q :=
SAY = @:
endif

all: $(LIB) $(BUILD)/lbcore.pc

$(LIB): $(LIB_OBJ)
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(LIB_FLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/examples/%.o: examples/%.c
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(HOST_FLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/tests/%.o: tests/%.c | $(BUILD)/suites.inc
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(TEST_FLAGS) $(CFLAGS) -c $< -o $@

# the list of suites: tests/test_pool.c defines suite_pool; tests/vectors/ holds the numbers that others published
$(BUILD)/suites.inc: $(TEST_SRC)
	@mkdir -p $(@D)
	@for t in $(patsubst test_%.c,%,$(notdir $(TEST_SRC))); do echo "SUITE($$t)"; done >$@

# made anew each time: PREFIX may be another one
$(BUILD)/lbcore.pc: lbcore.pc.in FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' $< >$@

$(BUILD)/01_minimal: $(BUILD)/examples/01_minimal.o $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(BUILD)/demo: $(DEMO_OBJ) $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ -pthread

$(BUILD)/run-tests: $(TEST_OBJ) $(SIM_CORE) $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(TEST_LIBS) -pthread

$(BUILD)/stress-%: $(BUILD)/tests/stress/%.o $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ -pthread

$(BUILD)/bench: $(BENCH_OBJ) $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ -pthread

$(BUILD)/golden: $(GOLDEN_OBJ) $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(BUILD)/sim: $(SIM_OBJ) $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ -lm

$(BUILD)/live-%: $(BUILD)/tests/live/%.o $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(BUILD)/count: $(BUILD)/tests/count/count.o $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

.SECONDARY:

examples: $(BUILD)/01_minimal $(BUILD)/demo

demo: $(BUILD)/demo
	$(Q)$(BUILD)/demo

bench: $(BUILD)/bench
	$(Q)$(BUILD)/bench $(BENCH_ARGS)

# all algorithms in virtual time; draws the chart that the README shows
sim: $(BUILD)/sim
	$(Q)$(BUILD)/sim tests/sim/sim.svg

# instructions of a select and its report, by callgrind
count: $(BUILD)/count
	$(Q)BUILD=$(BUILD) tests/count/count.sh

# the picks of a fixed script against the recorded ones: with this compiler, and with all compilers and machines at hand
golden: $(BUILD)/golden
	$(Q)$(BUILD)/golden >$(BUILD)/golden.txt && diff -u tests/golden/golden.txt $(BUILD)/golden.txt && echo "golden: the same"

golden-all:
	$(Q)BUILD=$(BUILD) tests/golden/golden.sh

golden-record: $(BUILD)/golden
	$(Q)$(BUILD)/golden >tests/golden/golden.txt

# beside nginx and libmemcached as Debian has them
live: $(BUILD)/live-picks $(BUILD)/live-ports $(LIB)
	$(Q)BUILD=$(BUILD) tests/live/nginx.sh
	$(Q)CC="$(CC)" BUILD=$(BUILD) tests/live/ketama.sh

# the hygiene and install tests come first, so that Check's own summary ends the run
check: $(BUILD)/run-tests $(STRESS) all examples
	$(Q)CC="$(CC)" BUILD=$(BUILD) tests/hygiene/run.sh
	$(Q)BUILD=$(BUILD) tests/hygiene/install.sh
	$(Q)for s in $(STRESS); do $$s $(STRESS_SECONDS) || exit 1; done
	$(Q)$(BUILD)/run-tests

# sanitizers: a build of their own; no forks, so that a report ends the run
SAN_CHECK = $(MAKE) --no-print-directory BUILD=$(BUILD)-$(1) CFLAGS="-O1 -g -fno-omit-frame-pointer $(2)" \
	LDFLAGS="$(2)" STRESS_SECONDS=$(STRESS_SECONDS) check-plain

# slow company: each suite in a process of its own, as many at once as there are cores
EACH_SUITE = sed 's/SUITE(\(.*\))/\1/' $(BUILD)/suites.inc | xargs -P "$$(nproc)" -n 1

check-plain: $(BUILD)/run-tests $(STRESS)
	$(Q)for s in $(STRESS); do $$s $(STRESS_SECONDS) || exit 1; done
	$(Q)export CK_FORK=no; $(EACH_SUITE) $(BUILD)/run-tests

check-asan: STRESS_SECONDS = 10
check-asan:
	$(Q)UBSAN_OPTIONS=print_stacktrace=1 \
		$(call SAN_CHECK,asan,-fsanitize=address$(COMMA)undefined -fno-sanitize-recover=all)

check-tsan: STRESS_SECONDS = 10
check-tsan:
	$(Q)LB_TEST_SMALL=1 TSAN_OPTIONS=halt_on_error=1 $(call SAN_CHECK,tsan,-fsanitize=thread)

check-valgrind: $(BUILD)/run-tests
	$(Q)export CK_FORK=no CK_TIMEOUT_MULTIPLIER=50 LB_TEST_SMALL=1; $(EACH_SUITE) \
		valgrind -q --error-exitcode=9 --leak-check=full --fair-sched=yes $(BUILD)/run-tests

COMMA := ,

lint: $(BUILD)/suites.inc
	$(Q)tests/tools/lint.sh

format:
	$(Q)clang-format -i $(ALL_C)

docs:
	$(Q)tests/tools/docs.sh

install: all
	install -d $(DESTDIR)$(INCLUDEDIR)/lbcore $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/lbcore/*.h $(DESTDIR)$(INCLUDEDIR)/lbcore
	install -m 644 $(LIB) $(DESTDIR)$(LIBDIR)
	install -m 644 $(BUILD)/lbcore.pc $(DESTDIR)$(LIBDIR)/pkgconfig

uninstall:
	rm -rf $(DESTDIR)$(INCLUDEDIR)/lbcore
	rm -f $(DESTDIR)$(LIBDIR)/liblbcore.a $(DESTDIR)$(LIBDIR)/pkgconfig/lbcore.pc

dist:
	git archive --prefix=lbcore-$(VERSION)/ -o lbcore-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: FORCE all check check-plain check-asan check-tsan check-valgrind bench sim count golden golden-all golden-record live demo \
	examples lint format docs install \
	uninstall dist clean

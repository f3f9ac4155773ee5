# How files are made: names, compilers and options mode by mode, rules.

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(Q),@printf '  %-6s %s\n' '$(1)' '$(2)')
quoted = '$(subst ','\'',$(1))'
O := build/$(ARCH)-$(MODE)
GEN := build/gen
BIN := bin/pull-secret$(if $(filter-out $(HOST_ARCH),$(ARCH)),-$(ARCH))$(if $(filter-out release,$(MODE)),-$(MODE))
# A program that runs here, to ask it what its options are.
HOST_BIN := bin/pull-secret
COMPLETION := $(addprefix build/completion/,pull-secret _pull-secret pull-secret.fish)
GNU := $(patsubst arm64%,aarch64%,$(ARCH))-linux-gnu
MUSL := $(patsubst arm64%,aarch64%,$(ARCH))-linux-musl

SRC := $(filter-out src/sys/start.c,$(wildcard src/*/*.c))
OBJ := $(SRC:%.c=$(O)/%.o) $(O)/$(GEN)/roots.o
LIB := $(filter-out $(O)/src/cmd/main.o,$(OBJ))
UNIT := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
CALLS := $(O)/tests/kernel/calls
FUZZ := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))

# Debian keeps the kernel's headers for another machine with its compiler.
KERNEL := $(if $(filter $(HOST_ARCH),$(ARCH)),/usr/include,/usr/$(GNU)/include)

include vendor/vendor.mk

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wformat=2 -Wswitch-enum -Wundef -Wdouble-promotion -Wnull-dereference \
	-Wimplicit-fallthrough -Werror
WARN_CLANG := -Wmissing-variable-declarations -Wno-sign-conversion
# gcc has no way to ignore a result on purpose; clang, which takes (void) for
# that, watches in its stead (MODE=fuzz and lint).
WARN_GCC := -Wno-unused-result -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
	-Walloca -Wstack-usage=16384
HARDEN := -fstack-protector-strong -fstack-clash-protection \
	-fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks
HOST_CC := gcc
FLAGS :=
LINK :=
LAST :=
START :=
PACK := :
SAN := address,undefined

# Fully static, position-independent: musl's headers and start files by name,
# since its wrapper links Scrt1.o, which needs a dynamic loader.
ifeq ($(MODE),release)
HOST_CC := $(GNU)-gcc
# What gcc 12 calls an optimisation, and costs 2 KiB without being faster.
LESS := -fno-caller-saves -fno-move-loop-invariants -fno-tree-dominator-opts -fno-tree-loop-im
FLAGS := $(WARN_GCC) $(HARDEN) -Oz $(LESS) -flto=auto -fPIE -ffunction-sections \
	-fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident \
	-specs=/usr/lib/$(MUSL)/musl-gcc.specs -idirafter build/kernel-$(ARCH)
LINK := -Oz -flto=auto -flto-partition=one -nostdlib -static-pie -s -Wl,--gc-sections,--build-id=none,-T,scripts/pull-secret.ld \
	-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--hash-style=gnu \
	/usr/lib/$(MUSL)/rcrt1.o /usr/lib/$(MUSL)/crti.o
LAST := /usr/lib/$(MUSL)/libc.a -lgcc /usr/lib/$(MUSL)/crtn.o
OBJ += $(O)/src/sys/start.o
START := -Wl,-e,start
PACK := scripts/pack
# Debian's ld packs relocations for x86-64 only; and only there tables are aligned
# for more speed than anything here needs.
ifeq ($(ARCH),x86_64)
LINK += -malign-data=abi -Wl,-z,pack-relative-relocs
FLAGS += -malign-data=abi
endif
else ifeq ($(MODE),debug)
FLAGS := $(WARN_GCC) $(HARDEN) -O1 -g
else ifeq ($(MODE),san)
FLAGS := $(WARN_GCC) -Wno-stack-usage -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
LINK := -fsanitize=$(SAN)
else ifeq ($(MODE),cov)
FLAGS := $(WARN_GCC) -O0 -g --coverage -DCOVERAGE
LINK := --coverage
else ifeq ($(MODE),fuzz)
HOST_CC := clang
FLAGS := $(WARN_CLANG) -O1 -g -fsanitize=fuzzer-no-link,$(SAN) -fno-sanitize-recover=all
LINK := -fsanitize=$(SAN)
else
$(error MODE is one of release, debug, san, cov, fuzz; it is "$(MODE)")
endif

ifneq ($(filter default undefined,$(origin CC)),)
CC := $(HOST_CC)
endif
AR := $(if $(filter fuzz,$(MODE)),ar,$(GNU)-gcc-ar)
override FLAGS := -std=c11 -D_GNU_SOURCE -funsigned-char -iquotesrc -I$(GEN) $(VENDOR_INC) $(WARN) $(FLAGS) \
	-ffile-prefix-map=$(CURDIR)=. $(CFLAGS)

programs: $(UNIT)
fuzzers: $(FUZZ)
kernel-programs: $(CALLS)
.PHONY: programs fuzzers kernel-programs FORCE

$(BIN): $(OBJ) $(O)/libbearssl.a $(O)/objects scripts/pull-secret.ld scripts/pack
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) $(START) -o $@.new $(filter %.o %.a,$^) $(LAST)
	$(Q)$(PACK) $@.new
	$(Q)mv $@.new $@ # whole or not at all, also for who runs it meanwhile

# Tests link what they need of this, and may stand in for the rest.
$(O)/library.a: $(LIB) $(O)/objects
	$(Q)rm -f $@ && $(AR) rcsD $@ $(LIB)

$(UNIT): %: %.o $(O)/library.a $(O)/libbearssl.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) -o $@ $^ -lcmocka

$(FUZZ): %: %.o $(O)/library.a $(O)/libbearssl.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) -fsanitize=fuzzer -o $@ $^

# For a machine that has nothing else: as static as the program.
$(CALLS): %: %.o $(O)/library.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LAST)

# An error for who calls what nobody should.
$(O)/src/%.o: BANNED := -include scripts/banned.h -DBANNED_IN_SRC
$(O)/tests/%.o: BANNED := -include scripts/banned.h

# Named by the linker and by its own assembly alone. No loop of it may become a call.
$(O)/src/sys/start.o: override FLAGS += -O2 -fno-lto -fno-stack-protector \
	-fno-tree-loop-distribute-patterns

$(O)/%.o: %.c $(O)/flags $(UNPACKED) | $(GEN)/version_gen.h build/kernel-$(ARCH)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(FLAGS) $(BANNED) -MMD -MP -c -o $@ $<

$(GEN)/roots.c: vendor/roots/pins scripts/roots
	$(call say,ROOTS,$@)
	$(Q)scripts/roots vendor/roots/pins $@ $(ROOTS_DIR)

ifneq ($(BIN),$(HOST_BIN))
$(HOST_BIN): FORCE
	@$(MAKE) ARCH=$(HOST_ARCH) MODE=release CFLAGS= CC=$(patsubst arm64,aarch64,$(HOST_ARCH))-linux-gnu-gcc build
endif

build/completion/pull-secret: SHELL_NAME := bash
build/completion/_pull-secret: SHELL_NAME := zsh
build/completion/pull-secret.fish: SHELL_NAME := fish
$(COMPLETION): $(HOST_BIN) scripts/completion scripts/options
	$(call say,SHELL,$@)
	$(Q)scripts/completion $(SHELL_NAME) $(HOST_BIN) $@

# These three run every time and change their file only if its content changes.
$(GEN)/version_gen.h: FORCE
	@VERSION=$(call quoted,$(VERSION)) COMMIT=$(call quoted,$(COMMIT)) scripts/version header | scripts/stamp $@

$(O)/flags: FORCE
	@echo '$(CC) $(FLAGS)' | scripts/stamp $@

$(O)/objects: FORCE
	@echo '$(OBJ)' | scripts/stamp $@

# The kernel's headers, which musl leaves out, and nothing else of the host's.
build/kernel-$(ARCH):
	$(Q)mkdir -p $@
	$(Q)ln -sfn $(KERNEL)/linux $(KERNEL)/asm-generic $(firstword $(wildcard $(KERNEL)/$(GNU)/asm $(KERNEL)/asm)) $@

-include $(OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d)

# What is not ours: where it lies once unpacked, and how BearSSL is compiled.
# The pins have five words a line: name, version, archive, SHA-256, licence.

PINS := $(file <vendor/pins)
BEARSSL := build/vendor/$(word 1,$(PINS))-$(word 2,$(PINS))
JSMN := build/vendor/$(word 6,$(PINS))-$(word 7,$(PINS))
UNPACKED := build/vendor/unpacked
VENDOR_INC := -isystem $(BEARSSL)/inc -isystem $(JSMN)

# No entropy source and no clock of its own: BearSSL's seeder would trust
# RDRAND alone. Whoever forgets to inject getrandom(2) or to set the time
# gets an error (BR_ERR_NO_RANDOM, BR_ERR_X509_TIME_UNKNOWN), not weak TLS.
BEARSSL_FLAGS := -w -DBR_RDRAND=0 -DBR_USE_URANDOM=0 -DBR_USE_UNIX_TIME=0 \
	-I$(BEARSSL)/inc -I$(BEARSSL)/src
# Fuzzers and sanitizers watch our code: here they check addresses only.
BEARSSL_DROP := -W% -iquotesrc -fsanitize=% -fno-sanitize-recover=% --coverage
BEARSSL_ASAN := $(if $(filter san fuzz,$(MODE)),-fsanitize=address)

BEARSSL_SRC := $(wildcard $(BEARSSL)/src/*.c $(BEARSSL)/src/*/*.c)

$(UNPACKED): vendor/pins $(wildcard vendor/*/*.patch) scripts/fetch scripts/unpack
	$(call say,FETCH,$(BEARSSL) $(JSMN))
	$(Q)scripts/fetch
	$(Q)scripts/unpack $@

# The list of files is known only after unpacking, hence the second make.
$(O)/libbearssl.a: $(UNPACKED) $(O)/flags vendor/vendor.mk
	$(call say,CC,$(BEARSSL))
	$(Q)$(MAKE) MODE=$(MODE) ARCH=$(ARCH) $(O)/libbearssl.objects
	$(Q)rm -f $@ && $(AR) rcsD $@ $$(cat $(O)/libbearssl.objects)

$(O)/libbearssl.objects: $(BEARSSL_SRC:%.c=$(O)/%.o)
	@echo '$^' >$@

$(O)/$(BEARSSL)/%.o: $(BEARSSL)/%.c $(O)/flags vendor/vendor.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(BEARSSL_DROP),$(FLAGS)) $(BEARSSL_ASAN) $(BEARSSL_FLAGS) -c -o $@ $<

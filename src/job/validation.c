#include "job/validation.h"

#include "sys/clock.h"

static struct {
	const char *strictness; /* VALIDATE */
	const char *profile;    /* VALIDATE_PROFILE */
	const char *required;   /* REQUIRE_REGISTRY */
} given;

static const struct opt OPTIONS[] = {
	{ "--validate", "VALIDATE", "basic|normal|strict",
	  "what is an error: no JSON with auths; what breaks a consumer; any "
	  "warning|normal",
	  &given.strictness, OPT_PLAIN },
	{ "--profile", "VALIDATE_PROFILE", CONSUMERS,
	  "check for these consumers only, joined by commas", &given.profile,
	  OPT_PLAIN },
	{ "--require-registry", "REQUIRE_REGISTRY", "HOST[,HOST...]",
	  "registries that must have an entry", &given.required, OPT_PLAIN },
};

const struct opt_table VALIDATION_OPTIONS = { "Validation", OPTIONS,
					      OPT_COUNT(OPTIONS) };

/* A bit for each word that is given of those in the option's argument. */
static unsigned
read_words(const struct opt *opt, bool several, struct status *st)
{
	struct str words = str_from(*opt->value), word, rest, known;
	unsigned set = 0, bit;

	while (words.len > 0 && str_split(&words, ',', &word)) {
		rest = str_from(opt->argument);
		for (bit = 1; str_split(&rest, '|', &known); bit <<= 1)
			if (str_eq_nocase(known, word))
				break;
		if (!str_eq_nocase(known, word) || (set != 0 && !several))
			(void)status_set(st, CODE_INVALID_ARGUMENT,
					 "%s must be one of %s",
					 opt_given(opt->variable),
					 opt->argument);
		set |= bit;
	}
	return set;
}

static enum code
read_policy(struct pullsecret_policy *policy, struct status *st)
{
	unsigned strictness = read_words(&OPTIONS[0], false, st);

	policy->strictness = strictness == 1   ? STRICTNESS_BASIC
			     : strictness == 4 ? STRICTNESS_STRICT
					       : STRICTNESS_NORMAL;
	policy->profile = read_words(&OPTIONS[1], true, st);
	policy->required = given.required;
	policy->now = clock_unix();
	if (given.required != NULL &&
	    !str_only(str_from(given.required), "A-Za-z0-9,._:/-"))
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "%s must be registries, joined by commas",
				 opt_given(OPTIONS[2].variable));
	return st->code;
}

enum code
validation_check_options(struct status *st)
{
	struct pullsecret_policy policy;

	return read_policy(&policy, st);
}

enum code
validation_check(struct str text, struct call *lent,
		 const struct pullsecret_findings **found, struct status *st)
{
	static struct pullsecret_findings findings;
	struct pullsecret_policy policy;

	*found = &findings;
	if (read_policy(&policy, st) != CODE_OK)
		return st->code;
	return pullsecret_check(text, &policy, &lent->tokens, &lent->request,
				&findings, st);
}

bool
validation_next_warning(const struct pullsecret_findings *found,
			struct str *rest, struct str *text)
{
	if (rest->len > 0)
		return str_split(rest, '\n', text);
	if (rest->ptr == NULL || found->kept == found->warnings)
		return false;
	*text = STR("there are more warnings than these");
	rest->ptr = NULL;
	return true;
}

#include "job/config.h"

#include <stdio.h>

#include "base/codec.h"

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What a label value is made of, in ASCII (Secret.labels). */
static bool
in_label(char c)
{
	return is_lower(c) || is_digit(c) || c == '_' || c == '-';
}

static bool
in_secret_id(char c)
{
	return in_label(c) || (c >= 'A' && c <= 'Z');
}

/* A project's ID or number; old ones are scoped by a domain and a colon. */
static bool
in_project(char c)
{
	return is_lower(c) || is_digit(c) || c == '-' || c == ':' || c == '.';
}

static enum code
check(const char *name, const char *value, size_t max, bool (*allowed)(char),
      const char *rule, struct status *st)
{
	struct str text = str_from(value);

	if (text.len == 0) {
		status_hint(st, "set %s", name);
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s is missing or empty", name);
	}
	if (text.len > max)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s has %zu characters, at most %zu are "
				  "allowed",
				  name, text.len, max);
	for (size_t i = 0; i < text.len; i++)
		if (!allowed(text.ptr[i]))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: character %zu is not allowed: "
					  "%s",
					  name, i + 1, rule);
	return CODE_OK;
}

enum code
config_read(struct config *config, const struct settings *settings,
	    struct status *st)
{
	const char *secret = settings->secret_name;

	config->project = settings->project;
	config->cluster_id = settings->cluster_id;
	config->secret[0] = '\0';
	if (check("GCP_PROJECT_ID", config->project, PROJECT_ID_MAX, in_project,
		  "a project ID has lower-case letters, digits and hyphens",
		  st) != CODE_OK)
		return st->code;
	/* A dot in front would make "." or ".." of the URL's path. */
	if (!is_lower(config->project[0]) && !is_digit(config->project[0]))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "GCP_PROJECT_ID must start with a letter "
				  "or a digit");
	if (check("CLUSTER_ID", config->cluster_id, CLUSTER_ID_MAX, in_label,
		  "as a label value it has lower-case letters, digits, _ and "
		  "-",
		  st) != CODE_OK)
		return st->code;
	if (secret == NULL) {
		(void)snprintf(config->secret, sizeof(config->secret),
			       "hyperfleet-%s-pull-secret", config->cluster_id);
		return CODE_OK;
	}
	if (check("SECRET_NAME", secret, SECRET_NAME_SIZE - 1, in_secret_id,
		  "a secret's name has letters, digits, _ and -",
		  st) != CODE_OK)
		return st->code;
	if (!str_copy(str_from(secret), config->secret, sizeof(config->secret)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "SECRET_NAME is too long");
	return CODE_OK;
}

enum code
config_timeout_ms(const struct settings *settings, int64_t *ms,
		  struct status *st)
{
	uint64_t seconds = TIMEOUT_DEFAULT_S;

	if (settings->timeout != NULL &&
	    (!parse_uint(str_from(settings->timeout), &seconds) ||
	     seconds == 0 || seconds > TIMEOUT_MAX_S))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "MAX_WAIT_TIME_SECONDS must be a whole "
				  "number of seconds from 1 to %d",
				  TIMEOUT_MAX_S);
	*ms = (int64_t)seconds * 1000;
	return CODE_OK;
}

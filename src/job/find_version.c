#include "job/find_version.h"

#include "base/codec.h"
#include "base/format.h"

/* Versions that are read, from the newest one downwards. */
#define READ_MAX 16

/* Versions that are probed to find the newest one. */
#define PROBES_MAX 100
#define STEP_MAX ((uint64_t)1 << 32)

static enum code
access_version(const struct version_search *search, const char *number,
	       struct probe *probe, struct status *st)
{
	struct retry retry = retry_calls(search->listener, search->until);
	struct str data;

	*probe = (struct probe){ .exists = true };
	if (secretmanager_access(search->sm, search->project, search->secret,
				 number, &probe->version, &data, &retry,
				 st) == CODE_OK) {
		probe->readable = true;
		probe->size = data.len;
		probe->crc = crc32c(data.ptr, data.len);
		probe->equal =
			data.len == search->payload.len &&
			bytes_equal(data.ptr, search->payload.ptr, data.len);
	} else if (st->code == CODE_NOT_FOUND) {
		probe->exists = false;
		status_clear(st);
	} else if (st->code == CODE_FAILED_PRECONDITION) {
		status_clear(st); /* disabled or destroyed */
	}
	return st->code;
}

static enum code
access_number(const struct version_search *search, uint64_t number,
	      struct probe *probe, struct status *st)
{
	char text[24];

	(void)format_text(text, sizeof(text), "%llu",
			  (unsigned long long)number);
	if (access_version(search, text, probe, st) != CODE_OK)
		return st->code;
	probe->version.number = number;
	return CODE_OK;
}

/* Until the next number is the one that was missing last. */
static enum code
find_newest(const struct version_search *search, struct probe *newest,
	    struct status *st)
{
	uint64_t step = 1, missing = 0; /* 0: no such number is known yet */
	struct probe probe;

	/* If it is disabled, its number is not in the error: start from 0. */
	if (access_version(search, "latest", newest, st) != CODE_OK)
		return st->code;
	for (unsigned i = 0; i < PROBES_MAX; i++) {
		uint64_t low = newest->version.number;
		uint64_t next =
			missing == 0 ? low + step : low + (missing - low) / 2;

		if (access_number(search, next, &probe, st) != CODE_OK)
			return st->code;
		if (!probe.exists && next == low + 1)
			return CODE_OK;
		if (!probe.exists) {
			missing = next;
			continue;
		}
		*newest = probe;
		if (missing == next + 1) { /* it may be there by now */
			missing = 0;
			step = 1;
		} else if (missing == 0 && i > 0 && step < STEP_MAX) {
			step *= 2; /* not at once: mostly one version is new */
		}
	}
	return status_set(st, CODE_ABORTED, "others keep adding versions to %s",
			  search->secret);
}

enum code
find_newest_version(const struct version_search *search, struct probe *newest,
		    struct status *st)
{
	if (find_newest(search, newest, st) == CODE_OK && newest->equal)
		(void)access_number(search, newest->version.number, newest, st);
	return st->code;
}

/*
 * Whether it is the baseline, and what is below it older. Versions do not
 * change: with other bytes it is one of another secret.
 */
static bool
is_baseline(const struct probe *baseline, const struct probe *now)
{
	return baseline != NULL &&
	       baseline->version.number == now->version.number &&
	       (!baseline->readable || !now->readable ||
		(baseline->size == now->size && baseline->crc == now->crc));
}

/* What a version says of the one that is looked for. */
enum finding { OTHER, OURS, EQUAL, UNREADABLE };

static enum finding
classify(const struct probe *baseline, const struct probe *probe, bool newest)
{
	bool older = is_baseline(baseline, probe);

	if (probe->equal)
		return newest || (baseline != NULL && !older) ? OURS : EQUAL;
	if (probe->readable || (older && !baseline->readable))
		return OTHER;
	return UNREADABLE;
}

/* Looks once, at what the server shows by now. */
static enum code
search_once(const struct version_search *search, struct secret_version *version,
	    bool *found, struct status *st)
{
	struct probe probe;
	uint64_t newest, unreadable = 0;
	bool reached = search->baseline == NULL;

	*found = false;
	if (find_newest(search, &probe, st) != CODE_OK)
		return st->code;
	newest = probe.version.number;
	for (uint64_t i = 0; i < READ_MAX && i < newest; i++) {
		uint64_t number = newest - i;
		enum finding finding;

		if (i > 0 &&
		    access_number(search, number, &probe, st) != CODE_OK)
			return st->code;
		finding = classify(search->baseline, &probe, i == 0);
		*found = finding == OURS;
		if (*found) {
			*version = probe.version;
			return CODE_OK;
		}
		if (finding == EQUAL)
			return status_set(
				st, CODE_ABORTED,
				"version %llu holds the same bytes and may be "
				"an older one, for version %llu is the newest",
				(unsigned long long)number,
				(unsigned long long)newest);
		if (finding == UNREADABLE && unreadable == 0)
			unreadable = number;
		if (is_baseline(search->baseline, &probe)) {
			reached = true;
			break;
		}
	}
	if (unreadable != 0)
		return status_set(st, CODE_ABORTED,
				  "version %llu is disabled or destroyed and "
				  "cannot be compared",
				  (unsigned long long)unreadable);
	if (!reached && newest > READ_MAX)
		return status_set(st, CODE_ABORTED,
				  "others added more than %d versions",
				  READ_MAX);
	return CODE_OK;
}

enum code
find_written_version(const struct version_search *search,
		     struct secret_version *version, bool *found,
		     struct status *st)
{
	struct retry retry = retry_calls(search->listener, search->until);

	while (search_once(search, version, found, st) == CODE_OK && !*found &&
	       search->just_created) {
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the secret is so new that its versions may "
				 "not be shown yet");
		if (!retry_again(&retry, st))
			break;
	}
	return st->code;
}

#include "gcp/versions.h"

#include <string.h>

#include "base/format.h"
#include "gcp/method.h"

static int64_t
read_time(struct json_value version, const char *key)
{
	struct json_value value = json_get(version, key);
	int64_t seconds = TIME_UNKNOWN;

	if (json_type(value) <= JSON_NULL)
		return 0;
	(void)clock_parse(json_raw(value), &seconds);
	return seconds;
}

static enum version_state
read_state(struct json_value value)
{
	if (json_equals(value, STR("ENABLED")))
		return VERSION_ENABLED;
	if (json_equals(value, STR("DISABLED")))
		return VERSION_DISABLED;
	return json_equals(value, STR("DESTROYED")) ? VERSION_DESTROYED
						    : VERSION_OTHER;
}

/* The SecretVersion of the API. */
static enum code
read_info(struct json_value version, const struct args *args,
	  struct version_info *info, struct status *st)
{
	struct secret_version name;

	if (!method_read_version_name(json_get(version, "name"), args, &name))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply does not name a version of %s",
				  args->secret);
	info->number = name.number;
	info->state = read_state(json_get(version, "state"));
	info->created = read_time(version, "createTime");
	info->destroyed = read_time(version, "destroyTime");
	info->scheduled = read_time(version, "scheduledDestroyTime");
	if (!json_cstr(json_get(version, "etag"), info->etag,
		       sizeof(info->etag)))
		info->etag[0] = '\0';
	return CODE_OK;
}

/* {"versions": [...], "nextPageToken": "..."}; the page is taken last. */
static enum code
read_page(struct call *call, const struct args *args, struct status *st)
{
	struct json_value root = json_root(&call->json);
	struct json_value next = json_get(root, "nextPageToken");
	struct json_iter iter = json_iter(json_get(root, "versions"));
	struct version_list *list = args->list;
	char token[PAGE_TOKEN_SIZE] = "";
	size_t count = 0;

	while (json_next(&iter) && count < VERSIONS_PAGE)
		if (read_info(iter.value, args, &list->entry[count++], st) !=
		    CODE_OK)
			return st->code;
	if (json_size(json_get(root, "versions")) > count ||
	    (json_type(next) != JSON_ABSENT &&
	     !json_cstr(next, token, sizeof(token)))) {
		st->permanent = true;
		return status_set(st, CODE_UNAVAILABLE,
				  "the page of versions is too long, or does "
				  "not name the next one");
	}
	memcpy(list->next, token, sizeof(token));
	list->count = count;
	list->at = 0;
	return CODE_OK;
}

static enum code
read_changed(struct call *call, const struct args *args, struct status *st)
{
	return read_info(json_root(&call->json), args, args->info, st);
}

static void
put_etag(const struct args *args, struct json_writer *json)
{
	json_member(json, "etag", str_from(args->etag));
}

/* What the fields leave out can be long: a key for each replica. */
static const struct method LIST_VERSIONS = {
	.verb = "GET",
	.path = SECRETS "/{secret}/versions?pageSize=50&pageToken={page}"
			"&filter={filter}&fields=nextPageToken,versions/name,"
			"versions/state,versions/createTime,"
			"versions/destroyTime,versions/scheduledDestroyTime,"
			"versions/etag",
	.idempotent = true,
	.quota = QUOTA_READ,
	.read = read_page,
};

/* With the etag they change only what was read, however often they are sent. */
static const struct method DESTROY_VERSION = {
	.verb = "POST",
	.path = SECRETS "/{secret}/versions/{version}:destroy",
	.idempotent = true,
	.quota = QUOTA_WRITE,
	.body = put_etag,
	.read = read_changed,
};

static const struct method DISABLE_VERSION = {
	.verb = "POST",
	.path = SECRETS "/{secret}/versions/{version}:disable",
	.idempotent = true,
	.quota = QUOTA_WRITE,
	.body = put_etag,
	.read = read_changed,
};

void
versions_start(struct version_list *list, struct secretmanager *sm,
	       const char *project, const char *secret, const char *filter,
	       const struct retry *retry)
{
	list->sm = sm;
	list->project = project;
	list->secret = secret;
	list->filter = filter;
	list->retry = *retry;
	list->count = list->at = 0;
	list->pages = 0;
	list->last = UINT64_MAX;
	list->next[0] = '\0';
}

static enum code
read_next_page(struct version_list *list, struct status *st)
{
	const struct args args = { .project = list->project,
				   .secret = list->secret,
				   .filter = list->filter,
				   .page = list->next,
				   .list = list };
	struct retry retry = list->retry;

	if (list->pages++ == VERSION_PAGES_MAX)
		return status_set(st, CODE_UNAVAILABLE,
				  "the list of versions has no end: %d pages",
				  VERSION_PAGES_MAX);
	return method_call(list->sm, &LIST_VERSIONS, &args, &retry, st);
}

const struct version_info *
versions_next(struct version_list *list, struct status *st)
{
	while (list->at == list->count) {
		if (list->pages > 0 && list->next[0] == '\0')
			return NULL;
		if (read_next_page(list, st) != CODE_OK)
			return NULL;
	}
	if (list->entry[list->at].number >= list->last) {
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the versions are not listed from the newest "
				 "one on");
		return NULL;
	}
	list->last = list->entry[list->at].number;
	return &list->entry[list->at++];
}

enum code
versions_change(struct secretmanager *sm, const char *project,
		const char *secret, const struct version_info *version,
		enum version_state to, struct version_info *after,
		struct retry *retry, struct status *st)
{
	char number[24];
	const struct args args = { .project = project,
				   .secret = secret,
				   .version = number,
				   .etag = version->etag,
				   .info = after };

	(void)format_text(number, sizeof(number), "%llu",
			  (unsigned long long)version->number);
	return method_call(sm,
			   to == VERSION_DISABLED ? &DISABLE_VERSION
						  : &DESTROY_VERSION,
			   &args, retry, st);
}

#include "job/doctor.h"

#include "base/format.h"
#include "base/json_write.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/store.h"

#define VERDICT_COLUMN 9
#define NAME_COLUMN 16
#define TIME_COLUMN 10

static struct {
	const char *json; /* a switch */
	const char *resource_manager;
} given;

static const struct opt OPTIONS[] = {
	{ "--json", NULL, NULL, "print an object instead of text", &given.json,
	  OPT_PLAIN },
	{ "--resource-manager-endpoint", "RESOURCE_MANAGER_ENDPOINT", "URL",
	  "URL of Cloud Resource "
	  "Manager|https://cloudresourcemanager.googleapis.com",
	  &given.resource_manager, OPT_NONE },
};

static const struct opt_table OWN = { "Applet doctor", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = { &OWN, STORE_TABLES, NULL };

static const char *
verdict_name(enum doctor_verdict verdict)
{
	switch (verdict) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_UNKNOWN:
		return "unknown";
	case DOCTOR_FAILED:
		return "failed";
	case DOCTOR_SKIPPED:
		break;
	}
	return "skipped";
}

/* A further line of a step. */
static void
put_line(struct buf *out, const char *mark, struct str line)
{
	buf_put_padded(out, "", VERDICT_COLUMN + NAME_COLUMN + TIME_COLUMN);
	buf_put_cstr(out, mark);
	buf_put_str(out, line);
	buf_put_char(out, '\n');
}

/* What there was in a place where credentials are looked for. */
static const char *
result_of(const struct cred_place *place)
{
	return place->result != NULL ? place->result : "is not looked at";
}

static void
put_places(const struct cred_place *place, struct buf *out)
{
	char text[2 * ADC_PATH_SIZE];

	for (size_t i = 0; i < CRED_PLACES && place[i].what != NULL; i++) {
		(void)format_text(text, sizeof(text), "%s%s%s %s",
				  place[i].what,
				  place[i].where[0] != '\0' ? " " : "",
				  place[i].where, result_of(&place[i]));
		put_line(out, "looked: ", str_from(text));
	}
}

static void
put_text(const struct doctor *d, const struct cred *cred, struct buf *out)
{
	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		const struct doctor_finding *f = &d->finding[i];
		struct str hint = str_from(f->hint), line;
		char time[24] = "";

		buf_put_padded(out, verdict_name(f->verdict), VERDICT_COLUMN);
		buf_put_padded(out, doctor_step_name((enum doctor_step)i),
			       NAME_COLUMN);
		if (f->duration_ms >= 0)
			(void)format_text(time, sizeof(time), "%lld ms",
					  (long long)f->duration_ms);
		buf_put_padded(out, time, TIME_COLUMN);
		buf_put_cstr(out, f->message);
		buf_put_char(out, '\n');
		if (i == DOCTOR_CREDENTIALS)
			put_places(cred->place, out);
		while (hint.len > 0 && str_split(&hint, '\n', &line))
			put_line(out, "-> ", line);
	}
	buf_put_cstr(out, d->summary);
	buf_put_char(out, '\n');
}

static void
member(struct json_writer *json, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_member(json, key, str_from(value));
}

static void
put_searched(const struct cred_place *place, struct json_writer *json)
{
	json_key(json, "searched");
	json_open_array(json);
	for (size_t i = 0; i < CRED_PLACES && place[i].what != NULL; i++) {
		json_open_object(json);
		member(json, "what", place[i].what);
		member(json, "where", place[i].where);
		member(json, "result", result_of(&place[i]));
		json_close(json);
	}
	json_close(json);
}

/* What one step found, besides its verdict. */
static void
put_facts(const struct doctor_facts *facts, const struct cred *cred,
	  enum doctor_step step, struct json_writer *json)
{
	char end[RFC3339_SIZE];

	if (step == DOCTOR_CREDENTIALS) {
		put_searched(cred->place, json);
	} else if (step == DOCTOR_DNS && facts->address_count > 0) {
		json_key(json, "addresses");
		json_open_array(json);
		for (size_t i = 0; i < facts->address_count; i++)
			json_put_string(json, str_from(facts->address[i]));
		json_close(json);
	} else if (step == DOCTOR_TCP) {
		member(json, "connected_to", facts->connected_to);
		member(json, "via", facts->via);
	} else if (step == DOCTOR_TLS && facts->has_certificate) {
		member(json, "issuer", facts->issuer);
		json_key(json, "days_left");
		json_put_int(json, facts->days_left);
		member(json, "cipher_suite", facts->cipher_suite);
	} else if (step == DOCTOR_TOKEN && facts->token_expires_at > 0) {
		clock_rfc3339(facts->token_expires_at, end);
		member(json, "expires_at", end);
	}
}

/*
 * {"ok": ..., "summary": ..., "steps": [{"name", "verdict", "duration_ms",
 * "message", "hint", and facts}]}
 */
static bool
put_json(const struct doctor *d, const struct cred *cred, bool ok,
	 struct buf *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	json_key(&json, "ok");
	json_put_boolean(&json, ok);
	member(&json, "summary", d->summary);
	json_key(&json, "steps");
	json_open_array(&json);
	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		const struct doctor_finding *f = &d->finding[i];
		enum doctor_step step = (enum doctor_step)i;

		json_open_object(&json);
		member(&json, "name", doctor_step_name(step));
		member(&json, "verdict", verdict_name(f->verdict));
		if (f->duration_ms >= 0) {
			json_key(&json, "duration_ms");
			json_put_uint(&json, (uint64_t)f->duration_ms);
		}
		member(&json, "message", f->message);
		member(&json, "hint", f->hint);
		put_facts(&d->facts, cred, step, &json);
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
	buf_put_char(out, '\n');
	return json_writer_done(&json);
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	static struct doctor doctor;
	enum exit_status result = doctor_walk(&doctor, program,
					      given.resource_manager),
			 printed;
	const struct cred *cred = &program->client.cred;
	struct buf *out = applet_output(program);

	(void)operand;
	(void)count;
	if (given.json == NULL)
		put_text(&doctor, cred, out);
	else if (!put_json(&doctor, cred, result == EXIT_DONE, out))
		return EXIT_RETRY;
	printed = print_result(buf_view(out));
	return result != EXIT_DONE ? result : printed;
}

const struct applet APPLET_doctor = {
	.name = "doctor",
	.operands = "[--json]",
	.description = "check the whole way, change nothing",
	.help = "Walks the way of the main job step by step, with its options, "
		"changes\n"
		"nothing, and says what to do. Exit status: that of the first "
		"step that\n"
		"failed, or else that of the failure which the first unknown "
		"step may hide: 4\n"
		"for a permission, 2 for the clock. 0 only if nothing failed "
		"or is unknown.\n",
	.options = TABLES,
	.run = run,
};

#include "job/doctor.h"

#include "base/json_write.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/options.h"
#include "job/target.h"

#define NAME_COLUMN 16

static const char *json_option;

static const struct opt OPTIONS[] = {
	{ "--json", NULL, NULL, NULL, "print an object instead of text",
	  &json_option, OPT_PLAIN },
};

static const struct opt_table OWN = { "Applet doctor", OPTIONS,
				      OPT_COUNT(OPTIONS) };

/* The names that the main job works with, too. */
static const struct opt_table *const TABLES[] = { &OWN, &TARGET_OPTIONS,
						  &TIME_OPTIONS,
						  &NETWORK_OPTIONS, NULL };

static const char *
verdict_name(enum doctor_verdict verdict)
{
	switch (verdict) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_FAILED:
		return "failed";
	case DOCTOR_SKIPPED:
		break;
	}
	return "skipped";
}

static void
put_text(const struct doctor *d, struct buf *out)
{
	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		const struct doctor_finding *f = &d->finding[i];

		buf_put_padded(out, verdict_name(f->verdict), 9);
		buf_put_padded(out, doctor_step_name((enum doctor_step)i),
			       NAME_COLUMN);
		buf_put_cstr(out, f->message);
		buf_put_char(out, '\n');
		if (f->hint[0] == '\0')
			continue;
		buf_put_padded(out, "", 9 + NAME_COLUMN);
		buf_put_cstr(out, "-> ");
		buf_put_cstr(out, f->hint);
		buf_put_char(out, '\n');
	}
}

/* {"ok": ..., "steps": [{"name", "verdict", "message", "hint"}]} */
static bool
put_json(const struct doctor *d, bool ok, struct buf *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	json_key(&json, "ok");
	json_put_boolean(&json, ok);
	json_key(&json, "steps");
	json_open_array(&json);
	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		const struct doctor_finding *f = &d->finding[i];

		json_open_object(&json);
		json_member(&json, "name",
			    str_from(doctor_step_name((enum doctor_step)i)));
		json_member(&json, "verdict",
			    str_from(verdict_name(f->verdict)));
		json_member(&json, "message", str_from(f->message));
		if (f->hint[0] != '\0')
			json_member(&json, "hint", str_from(f->hint));
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
	enum exit_status result = doctor_walk(&doctor, program), printed;
	struct buf *out = applet_output(program);

	(void)operand;
	(void)count;
	if (json_option == NULL)
		put_text(&doctor, out);
	else if (!put_json(&doctor, result == EXIT_DONE, out))
		return EXIT_RETRY;
	printed = print_result(buf_view(out));
	return result != EXIT_DONE ? result : printed;
}

const struct applet APPLET_doctor = {
	.name = "doctor",
	.operands = "[--json]",
	.description = "check the whole way, change nothing",
	.help = "Walks the way of the main job step by step, changes nothing, "
		"and says\n"
		"of each step that fails what to do. Exit status: that of the "
		"first\n"
		"step that failed. Every flag has a variable; flags win.\n",
	.options = TABLES,
	.run = run,
};

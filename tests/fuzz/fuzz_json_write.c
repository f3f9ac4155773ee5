/*
 * Any sequence of calls to the JSON writer, in any amount of room. A model
 * that knows only the grammar says whether a text is complete; what is built
 * must be read as the same strings.
 */
#include "base/json.h"
#include "base/json_walk.h"
#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define STRINGS_MAX 4096

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t
take(struct input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

static struct str
take_string(struct input *input)
{
	size_t len = take(input);
	struct str s = { (const char *)input->data, len };

	if (s.len > input->size)
		s.len = input->size;
	input->data += s.len;
	input->size -= s.len;
	return s;
}

/* The grammar: a stack of [ and {, and : after a key. */
struct model {
	char stack[JSON_DEPTH_MAX + 1];
	size_t depth;
	bool after_key;
	bool done;
	bool failed;
	struct str strings[STRINGS_MAX]; /* values that are strings */
	size_t count;
};

/* Whether a value may come, and that it came. */
static bool
model_value(struct model *model)
{
	char top = model->depth > 0 ? model->stack[model->depth - 1] : 'r';

	if ((top == '{' && !model->after_key) || (top == 'r' && model->done))
		model->failed = true;
	if (model->failed)
		return false;
	model->after_key = false;
	model->done = top == 'r';
	return true;
}

static void
model_open(struct model *model, char bracket)
{
	if (model->depth == JSON_DEPTH_MAX)
		model->failed = true;
	if (!model_value(model))
		return;
	model->done = false;
	model->stack[model->depth++] = bracket;
}

static void
model_close(struct model *model)
{
	if (model->depth == 0 || model->after_key)
		model->failed = true;
	if (model->failed)
		return;
	model->depth--;
	model->done = model->depth == 0;
}

static void
model_key(struct model *model)
{
	if (model->depth == 0 || model->stack[model->depth - 1] != '{' ||
	    model->after_key)
		model->failed = true;
	else if (!model->failed)
		model->after_key = true;
}

static void
model_string(struct model *model, struct str s)
{
	if (model_value(model) && model->count < STRINGS_MAX)
		model->strings[model->count++] = s;
}

/* Keys are C strings. */
static const char *
take_key(struct input *input)
{
	static char key[256];
	struct str s = take_string(input);

	memcpy(key, s.ptr, s.len);
	key[s.len] = '\0';
	return key;
}

static void
play(struct json_writer *writer, struct model *model, struct input *input)
{
	struct str s;

	switch (take(input) % 11) {
	case 0:
		json_open_object(writer);
		model_open(model, '{');
		break;
	case 1:
		json_open_array(writer);
		model_open(model, '[');
		break;
	case 2:
	case 3:
		json_close(writer);
		model_close(model);
		break;
	case 4:
		json_key(writer, take_key(input));
		model_key(model);
		break;
	case 5:
		s = take_string(input);
		json_put_string(writer, s);
		model_string(model, s);
		break;
	case 6:
		json_put_uint(writer,
			      take(input) * UINT64_C(0x101010101010101));
		(void)model_value(model);
		break;
	case 7:
		json_put_boolean(writer, take(input) % 2 == 0);
		(void)model_value(model);
		break;
	case 8:
		json_put_null(writer);
		(void)model_value(model);
		break;
	case 9:
		s = take_string(input);
		json_put_base64(writer, s.ptr, s.len);
		model_string(model, (struct str){ NULL, s.len });
		break;
	default:
		json_put_uint_string(writer, take(input));
		model_string(model, (struct str){ NULL, 0 });
		break;
	}
}

/* What must be read where `s` was put; NULL where it was encoded. */
static void
check_string(struct json_value value, struct str s)
{
	static char memory[8 * 256];
	struct buf out;

	if (s.ptr == NULL)
		return;
	buf_init(&out, memory, sizeof(memory));
	while (s.len > 0) {
		size_t length = utf8_length(s);

		if (length > 0)
			buf_put(&out, s.ptr, length);
		else
			buf_put_cstr(&out, "\xef\xbf\xbd");
		s = str_skip(s, length > 0 ? length : 1);
	}
	must(json_equals(value, buf_view(&out)));
}

/* All values of the text in their order. */
static void
check_strings(struct json_value root, const struct model *model)
{
	struct json_iter level[JSON_DEPTH_MAX + 1];
	struct json_value value = root;
	size_t depth = 0, seen = 0;

	for (;;) {
		if (json_type(value) == JSON_STRING) {
			must(seen < model->count);
			check_string(value, model->strings[seen++]);
		}
		level[depth++] = json_iter(value);
		while (depth > 0 && !json_next(&level[depth - 1]))
			depth--;
		if (depth == 0)
			break;
		value = level[depth - 1].value;
	}
	must(seen == model->count);
}

static void
check_text(struct str text, const struct model *model)
{
	static struct json_tokens tokens;
	struct json json;
	struct status st;

	status_clear(&st);
	if (json_parse(&json, text, &tokens, &st) == CODE_OK) {
		if (model->count < STRINGS_MAX)
			check_strings(json_root(&json), model);
		return;
	}
	/* Only these are left to the caller. */
	must(strstr(st.message, "a key that its object has") != NULL ||
	     strstr(st.message, "more than") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model model;
	struct input input = { data, size };
	struct json_writer writer;
	struct buf out;
	size_t room;
	char *memory;

	room = (size_t)take(&input) << 8;
	room |= take(&input);
	memory = malloc(room > 0 ? room : 1); /* ASan watches its end */
	if (memory == NULL)
		return 0;
	model = (struct model){ .depth = 0 };
	buf_init(&out, memory, room);
	json_writer_init(&writer, &out);
	while (input.size > 0) {
		play(&writer, &model, &input);
		must(out.len <= room);
		must(json_writer_done(&writer) ==
		     (model.done && !model.failed && !out.overflow));
	}
	if (json_writer_done(&writer))
		check_text(buf_view(&out), &model);
	free(memory);
	return 0;
}

/*
 * Any text, read by the JSON reader. Its verdict must be that of the plain
 * recogniser below; what it accepts must survive being built and read again;
 * what it refuses must have a message of one printable line.
 */
#include "base/json.h"
#include "base/json_path.h"
#include "base/json_walk.h"
#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

/* Violations end the process, as libFuzzer wants it. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* The recogniser: code points first, then states of one character each. */

/* One code point from the UTF-8 at `*at`; -1 if it is no UTF-8. */
static int32_t
code_point(const uint8_t *data, size_t size, size_t *at)
{
	static const int32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = data[*at];
	size_t length = first < 0x80   ? 1
			: first < 0xc0 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf8 ? 4
				       : 0;
	int32_t c = length < 2 ? first : first & (0x7f >> length);

	if (length == 0 || length > size - *at)
		return -1;
	for (size_t i = 1; i < length; i++) {
		if ((data[*at + i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (data[*at + i] & 0x3f);
	}
	if (c < LEAST[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -1;
	*at += length;
	return c;
}

/* A \u escape, the "\u" read already; -1 if it is none. */
static int32_t
code_unit(const uint8_t *data, size_t size, size_t *at)
{
	char hex[5] = { 0 };
	char *end;
	long unit;

	if (size - *at < 4)
		return -1;
	memcpy(hex, data + *at, 4);
	if (strspn(hex, "0123456789abcdefABCDEF") != 4)
		return -1;
	unit = strtol(hex, &end, 16);
	*at += 4;
	return (int32_t)unit;
}

/* What follows the opening quote of a string. */
static bool
string_body(const uint8_t *data, size_t size, size_t *at)
{
	bool high = false; /* the escape before was a high surrogate */

	while (*at < size) {
		int32_t unit = 0, c = code_point(data, size, at);

		if (c == '\\' && *at < size && data[*at] == 'u') {
			++*at;
			unit = code_unit(data, size, at);
			c = 'u';
		} else if (c == '\\') {
			if (*at == size || data[*at] == 0 ||
			    strchr("\"\\/bfnrt", data[*at]) == NULL)
				return false;
			++*at;
			c = 'e';
		}
		if (unit < 0 || c < 0x20 ||
		    high != (unit >= 0xdc00 && unit < 0xe000))
			return false;
		high = unit >= 0xd800 && unit < 0xdc00;
		if (c == '"')
			return true;
	}
	return false;
}

/* A number as a machine of states; the accepting ones are in capitals. */
static bool
number_body(const uint8_t *data, size_t size, size_t *at)
{
	char state = 's';

	for (; *at < size; ++*at) {
		uint8_t c = data[*at];
		bool digit = c >= '0' && c <= '9';

		if (state == 's' && c == '-')
			state = 'm';
		else if ((state == 's' || state == 'm') && digit)
			state = c == '0' ? 'Z' : 'I';
		else if (state == 'I' && digit)
			continue;
		else if ((state == 'Z' || state == 'I') && c == '.')
			state = 'p';
		else if ((state == 'p' || state == 'F') && digit)
			state = 'F';
		else if (memchr("ZIF", state, 3) != NULL && (c | 32) == 'e')
			state = 'e';
		else if (state == 'e' && (c == '+' || c == '-'))
			state = 'x';
		else if (memchr("exE", state, 3) != NULL && digit)
			state = 'E';
		else
			break;
	}
	return memchr("ZIFE", state, 4) != NULL;
}

static bool
scalar(const uint8_t *data, size_t size, size_t *at)
{
	static const char *const WORDS[] = { "true", "false", "null" };

	if (data[*at] == '"') {
		++*at;
		return string_body(data, size, at);
	}
	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(WORDS[i]);

		if (size - *at >= length &&
		    memcmp(data + *at, WORDS[i], length) == 0) {
			*at += length;
			return true;
		}
	}
	return number_body(data, size, at);
}

/*
 * `want`: v a value, a a value or ], o a key or }, k a key, c a colon, n a
 * comma or the closing bracket.
 */
static bool
is_json(const uint8_t *data, size_t size)
{
	static char stack[TEXT_MAX];
	size_t depth = 0;
	char want = 'v';

	for (size_t at = 0; at < size;) {
		uint8_t c = data[at];

		if (c != 0 && strchr(" \t\r\n", c) != NULL) {
			at++;
		} else if (c == ':' && want == 'c') {
			at++;
			want = 'v';
		} else if (c == ',' && want == 'n' && depth > 0) {
			at++;
			want = stack[depth - 1] == '{' ? 'k' : 'v';
		} else if ((c == '[' || c == '{') &&
			   (want == 'v' || want == 'a')) {
			at++;
			stack[depth++] = (char)c;
			want = c == '[' ? 'a' : 'o';
		} else if ((c == ']' || c == '}') && depth > 0 &&
			   stack[depth - 1] == (c == ']' ? '[' : '{') &&
			   (want == 'n' || want == (c == ']' ? 'a' : 'o'))) {
			at++;
			depth--;
			want = 'n';
		} else if (want == 'v' || want == 'a') {
			if (!scalar(data, size, &at))
				return false;
			want = 'n';
		} else if (c == '"' && (want == 'o' || want == 'k')) {
			at++;
			if (!string_body(data, size, &at))
				return false;
			want = 'c';
		} else {
			return false;
		}
	}
	return depth == 0 && want == 'n';
}

/* All values of a text in their order, and the end of each container. */
struct walk {
	struct json_iter level[JSON_DEPTH_MAX];
	size_t depth;
	struct json_value root;
	bool started;
};

struct event {
	bool close;
	struct json_value parent;
	struct json_value key;
	struct json_value value;
};

static bool
walk_next(struct walk *walk, struct event *event)
{
	struct json_iter *top = walk->level + walk->depth;
	enum json_type type;

	top -= walk->depth > 0 ? 1 : 0;
	*event = (struct event){ .close = false };
	if (!walk->started) {
		walk->started = true;
		event->value = walk->root;
	} else if (walk->depth == 0) {
		return false;
	} else if (json_next(top)) {
		event->parent = top->container;
		event->key = top->key;
		event->value = top->value;
	} else {
		walk->depth--;
		event->close = true;
		return true;
	}
	type = json_type(event->value);
	must(type != JSON_ABSENT);
	if (type == JSON_ARRAY || type == JSON_OBJECT) {
		must(walk->depth < JSON_DEPTH_MAX);
		walk->level[walk->depth++] = json_iter(event->value);
	}
	return true;
}

static char first_memory[TEXT_MAX], second_memory[TEXT_MAX];

/* The content of a string, which must fit. */
static struct str
content(struct json_value value, char *memory)
{
	struct buf out;

	buf_init(&out, memory, TEXT_MAX);
	must(json_string(value, &out));
	must(json_equals(value, buf_view(&out)));
	must(json_is_plain(value) == str_eq(json_raw(value), buf_view(&out)));
	return buf_view(&out);
}

/* Each value says where it is. */
static void
check_place(struct json_value value)
{
	static char memory[TEXT_MAX];
	size_t line, column;
	struct buf path;

	buf_init(&path, memory, sizeof(memory));
	json_path(value, &path);
	must(!path.overflow && path.len > 0 && path.ptr[0] == '$');
	json_position(value, &line, &column);
	must(line >= 1 && column >= 1);
	must(line + column <= value.json->text.len + 1);
}

/* Builds a value; a number that the writer lacks as a string. */
static void
rebuild_scalar(struct json_writer *writer, struct json_value value)
{
	uint64_t number;

	switch (json_type(value)) {
	case JSON_NULL:
		json_put_null(writer);
		break;
	case JSON_BOOLEAN:
		json_put_boolean(writer, json_is_true(value));
		break;
	case JSON_NUMBER:
		if (json_uint(value, &number))
			json_put_uint(writer, number);
		else
			json_put_string(writer, json_raw(value));
		break;
	case JSON_STRING:
		json_put_string(writer, content(value, first_memory));
		break;
	case JSON_ARRAY:
		json_open_array(writer);
		break;
	case JSON_OBJECT:
		json_open_object(writer);
		break;
	case JSON_ABSENT:
		abort();
	}
}

/* False if a key has a NUL, which the writer does not take. */
static bool
rebuild(struct json_value root, struct buf *out)
{
	struct walk walk = { .root = root };
	struct json_writer writer;
	struct event event;

	json_writer_init(&writer, out);
	while (walk_next(&walk, &event)) {
		if (event.close) {
			json_close(&writer);
			continue;
		}
		check_place(event.value);
		if (json_type(event.key) != JSON_ABSENT) {
			if (!json_cstr(event.key, first_memory, TEXT_MAX))
				return false;
			must(json_equals(event.key, str_from(first_memory)));
			must(json_get(event.parent, first_memory).index ==
			     event.value.index);
			json_key(&writer, first_memory);
		}
		rebuild_scalar(&writer, event.value);
	}
	must(json_writer_done(&writer));
	return true;
}

static void
check_same_value(struct json_value a, struct json_value b)
{
	enum json_type type = json_type(a);
	uint64_t number;

	must(json_size(a) == json_size(b));
	if (type == JSON_NUMBER && !json_uint(a, &number)) {
		must(json_equals(b, json_raw(a)));
		return;
	}
	must(json_type(b) == type);
	if (type == JSON_STRING)
		must(str_eq(content(a, first_memory),
			    content(b, second_memory)));
	else if (type != JSON_ARRAY && type != JSON_OBJECT)
		must(str_eq(json_raw(a), json_raw(b)));
}

static void
check_same(struct json_value a, struct json_value b)
{
	struct walk first = { .root = a }, second = { .root = b };
	struct event x, y;

	while (walk_next(&first, &x)) {
		must(walk_next(&second, &y));
		must(x.close == y.close);
		if (x.close)
			continue;
		must(json_type(x.key) == json_type(y.key));
		if (json_type(x.key) != JSON_ABSENT)
			check_same_value(x.key, y.key);
		check_same_value(x.value, y.value);
	}
	must(!walk_next(&second, &y));
}

static void
check_refusal(const struct status *st, bool is_json_text)
{
	const char *message = st->message;
	bool ceiling = strstr(message, "nested deeper") != NULL ||
		       strstr(message, "more than") != NULL;

	must(st->code == CODE_INVALID_ARGUMENT);
	must(strncmp(message, "line ", 5) == 0);
	must(strstr(message, ", column ") != NULL);
	must(strstr(message, ", at $") != NULL);
	must(strlen(message) < STATUS_MESSAGE_MAX - 1);
	for (; *message != '\0'; message++)
		must(*message >= ' ' && *message <= '~');
	if (strstr(st->message, "a key that its object has") != NULL)
		must(is_json_text);
	else
		must(ceiling || !is_json_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_tokens first_tokens, second_tokens;
	static char memory[4 * TEXT_MAX], again_memory[4 * TEXT_MAX];
	struct json first, second;
	struct buf built, again;
	struct status st;

	if (size > TEXT_MAX)
		return 0;
	status_clear(&st);
	if (json_parse(&first, (struct str){ (const char *)data, size },
		       &first_tokens, &st) != CODE_OK) {
		check_refusal(&st, is_json(data, size));
		return 0;
	}
	must(is_json(data, size));
	buf_init(&built, memory, sizeof(memory));
	if (!rebuild(json_root(&first), &built))
		return 0;
	must(json_parse(&second, buf_view(&built), &second_tokens, &st) ==
	     CODE_OK);
	check_same(json_root(&first), json_root(&second));
	buf_init(&again, again_memory, sizeof(again_memory));
	must(rebuild(json_root(&second), &again));
	must(str_eq(buf_view(&built), buf_view(&again)));
	return 0;
}

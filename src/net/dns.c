#include "net/dns.h"

#include <string.h>

#define HEADER 12
#define CLASS_IN 1
#define TYPE_CNAME 5
#define NAME_MAX_TEXT 256
/* CNAME records that are followed, one to the next. */
#define ALIASES_MAX 10
/* Compression pointers followed within one name. */
#define POINTERS_MAX 64

static void
put16(struct buf *out, unsigned value)
{
	buf_put_char(out, (char)(value >> 8 & 0xff));
	buf_put_char(out, (char)(value & 0xff));
}

bool
dns_query(struct buf *out, uint16_t id, struct str name, enum dns_type type)
{
	struct str rest = name, label;

	if (name.len == 0 || name.len > 253)
		return false;
	put16(out, id);
	put16(out, 0x0100); /* recursion desired */
	put16(out, 1);      /* one question */
	put16(out, 0);
	put16(out, 0);
	put16(out, 0);
	while (str_split(&rest, '.', &label)) {
		if (label.len == 0 || label.len > 63)
			return false;
		buf_put_char(out, (char)label.len);
		buf_put_str(out, label);
	}
	buf_put_char(out, 0);
	put16(out, (unsigned)type);
	put16(out, CLASS_IN);
	return !out->overflow;
}

/* A place in a message; `bad` once something did not fit. */
struct reader {
	struct str message;
	size_t at;
	bool bad;
};

static unsigned
get8(struct reader *r)
{
	if (r->at >= r->message.len) {
		r->bad = true;
		return 0;
	}
	return (unsigned char)r->message.ptr[r->at++];
}

static unsigned
get16(struct reader *r)
{
	unsigned high = get8(r);

	return high << 8 | get8(r);
}

/*
 * Reads a name, with compression (RFC 1035 section 4.1.4), as text without a
 * final dot.
 */
static void
get_name(struct reader *r, struct buf *out)
{
	struct reader at = *r;
	bool jumped = false;
	unsigned jumps = 0, len;

	while ((len = get8(&at)) != 0 && !at.bad) {
		if ((len & 0xc0) == 0xc0) {
			size_t to = (size_t)(len & 0x3f) << 8 | get8(&at);

			if (!jumped)
				r->at = at.at;
			jumped = true;
			at.bad = at.bad || ++jumps > POINTERS_MAX;
			at.at = to;
			continue;
		}
		if (len > 63 || at.at + len > at.message.len) {
			at.bad = true;
			break;
		}
		if (out->len > 0)
			buf_put_char(out, '.');
		buf_put(out, at.message.ptr + at.at, len);
		at.at += len;
	}
	if (!jumped)
		r->at = at.at;
	r->bad = r->bad || at.bad || out->overflow;
}

/* One resource record: its name is in `name`, its data at `data`. */
struct record {
	char name_memory[NAME_MAX_TEXT];
	struct buf name;
	unsigned type, class;
	size_t data, length;
};

static void
get_record(struct reader *r, struct record *record)
{
	buf_init(&record->name, record->name_memory,
		 sizeof(record->name_memory));
	get_name(r, &record->name);
	record->type = get16(r);
	record->class = get16(r);
	(void)get16(r); /* time to live */
	(void)get16(r);
	record->length = get16(r);
	record->data = r->at;
	r->at += record->length;
	r->bad = r->bad || r->at > r->message.len;
}

static bool
read_question(struct reader *r, struct str name, enum dns_type type)
{
	char memory[NAME_MAX_TEXT];
	struct buf asked;

	buf_init(&asked, memory, sizeof(memory));
	get_name(r, &asked);
	return get16(r) == (unsigned)type && get16(r) == CLASS_IN && !r->bad &&
	       str_eq_nocase(buf_view(&asked), name);
}

static void
take_address(struct reader *r, const struct record *record, enum dns_type type,
	     struct dns_answer *answer)
{
	size_t size = type == DNS_A ? 4 : 16;

	if (record->length != size || answer->count == ADDRESSES_MAX)
		return;
	memcpy(answer->address[answer->count++].bytes,
	       r->message.ptr + record->data, size);
}

/*
 * Goes over the records once for `name`: takes its addresses, and notes its
 * alias. Returns whether there is one.
 */
static bool
read_records(struct reader *r, unsigned count, struct buf *name,
	     enum dns_type type, struct dns_answer *answer)
{
	char memory[NAME_MAX_TEXT];
	struct buf alias;

	buf_init(&alias, memory, sizeof(memory));
	for (unsigned i = 0; i < count && !r->bad; i++) {
		struct record record;

		get_record(r, &record);
		if (r->bad || record.class != CLASS_IN ||
		    !str_eq_nocase(buf_view(&record.name), buf_view(name)))
			continue;
		if (record.type == (unsigned)type)
			take_address(r, &record, type, answer);
		if (record.type == TYPE_CNAME && alias.len == 0) {
			struct reader data = { r->message, record.data, false };

			get_name(&data, &alias);
			r->bad = r->bad || data.bad;
		}
	}
	if (alias.len == 0)
		return false;
	buf_reset(name);
	buf_put_str(name, buf_view(&alias));
	return true;
}

bool
dns_read(struct str message, uint16_t id, struct str name, enum dns_type type,
	 struct dns_answer *answer)
{
	struct reader r = { message, 0, false };
	char memory[NAME_MAX_TEXT];
	unsigned flags, questions, records, aliases = 0;
	struct buf owner;
	size_t start;

	*answer = (struct dns_answer){ .rcode = 0 };
	if (message.len < HEADER || get16(&r) != id)
		return false;
	flags = get16(&r);
	questions = get16(&r);
	records = get16(&r);
	r.at = HEADER;
	/* A response (QR) to a standard query with our one question. */
	if ((flags & 0xf800) != 0x8000 || questions != 1 ||
	    !read_question(&r, name, type))
		return false;
	answer->rcode = flags & 0x000f;
	answer->truncated = (flags & 0x0200) != 0;
	buf_init(&owner, memory, sizeof(memory));
	buf_put_str(&owner, name);
	start = r.at;
	while (read_records(&r, records, &owner, type, answer) &&
	       ++aliases < ALIASES_MAX && answer->count == 0)
		r.at = start;
	return !r.bad;
}

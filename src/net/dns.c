#include "net/dns.h"

#include <string.h>

#define HEADER 12
#define LABEL_MAX 63
#define NAME_TEXT_MAX 253
/* A name as it stands in messages: labels after their lengths, then 0. */
#define NAME_WIRE_MAX 255
#define CLASS_IN 1
#define TYPE_CNAME 5
/* Aliases that are followed, one to the next. */
#define ALIASES_MAX 10

/* The second word of the header (RFC 1035 section 4.1.1). */
#define FLAG_RESPONSE 0x8000
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define MASK_OPCODE 0x7800
#define MASK_RCODE 0x000f

static void
put16(struct buf *out, unsigned value)
{
	buf_put_char(out, (char)(value >> 8 & 0xff));
	buf_put_char(out, (char)(value & 0xff));
}

static bool
put_name(struct buf *out, struct str name)
{
	struct str rest = name, label;

	if (name.len == 0 || name.len > NAME_TEXT_MAX)
		return false;
	while (str_split(&rest, '.', &label)) {
		if (label.len == 0 || label.len > LABEL_MAX)
			return false;
		buf_put_char(out, (char)label.len);
		buf_put_str(out, label);
	}
	buf_put_char(out, 0);
	return !out->overflow;
}

bool
dns_query(struct buf *out, uint16_t id, struct str name, enum dns_type type)
{
	put16(out, id);
	put16(out, FLAG_RECURSION_DESIRED);
	put16(out, 1); /* one question, no records */
	put16(out, 0);
	put16(out, 0);
	put16(out, 0);
	if (!put_name(out, name))
		return false;
	put16(out, (unsigned)type);
	put16(out, CLASS_IN);
	return !out->overflow;
}

/* A position in a message; `bad` once a read went past its end. */
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

/* A name without compression; compares without regard to case (RFC 4343). */
struct name {
	struct buf wire;
	char memory[NAME_WIRE_MAX];
};

static void
name_init(struct name *name)
{
	buf_init(&name->wire, name->memory, sizeof(name->memory));
}

static bool
name_eq(const struct name *a, const struct name *b)
{
	/* Lengths of labels are below 'A': only letters are folded. */
	return str_eq_nocase(buf_view(&a->wire), buf_view(&b->wire));
}

/*
 * Reads a name. A pointer must lead to before the part that it ends (RFC 1035
 * section 4.1.4, "a prior occurrence"), so there is an end to following them.
 */
static void
get_name(struct reader *r, struct name *name)
{
	struct reader at = *r;
	size_t start = r->at;
	bool jumped = false;
	unsigned len;

	name_init(name);
	do {
		len = get8(&at);
		if (len > LABEL_MAX) {
			size_t to = (size_t)(len & 0x3f) << 8 | get8(&at);

			if (!jumped)
				r->at = at.at;
			jumped = true;
			at.bad = at.bad || len < 0xc0 || to >= start;
			start = to;
			at.at = to;
		} else if (len > at.message.len - at.at) {
			at.bad = true;
		} else {
			buf_put_char(&name->wire, (char)len);
			buf_put(&name->wire, at.message.ptr + at.at, len);
			at.at += len;
		}
	} while (len != 0 && !at.bad && !name->wire.overflow);
	if (!jumped)
		r->at = at.at;
	r->bad = at.bad || name->wire.overflow;
}

/* One resource record (RFC 1035 section 4.1.3); its data is at `data`. */
struct record {
	struct name owner;
	unsigned type, class;
	size_t data, length;
};

static void
get_record(struct reader *r, struct record *record)
{
	get_name(r, &record->owner);
	record->type = get16(r);
	record->class = get16(r);
	(void)get16(r); /* time to live */
	(void)get16(r);
	record->length = get16(r);
	record->data = r->at;
	if (record->length > r->message.len - r->at)
		r->bad = true;
	else
		r->at += record->length;
}

static void
take_address(struct reader *r, const struct record *record, enum dns_type type,
	     struct dns_answer *answer)
{
	size_t size = type == DNS_A ? 4 : 16;

	if (record->length != size)
		r->bad = true;
	else if (answer->count < ADDRESSES_MAX)
		memcpy(answer->address[answer->count++].bytes,
		       r->message.ptr + record->data, size);
}

static void
take_alias(struct reader *r, const struct record *record, struct name *alias)
{
	struct reader data = { r->message, record->data, false };

	get_name(&data, alias);
	if (data.bad || data.at != r->at)
		r->bad = true;
}

/*
 * Goes over the records once for `name`: takes its addresses, and replaces it
 * with its alias. Returns whether there is one.
 */
static bool
read_records(struct reader *r, unsigned count, struct name *name,
	     enum dns_type type, struct dns_answer *answer)
{
	struct name alias;
	struct record record;

	name_init(&alias);
	for (unsigned i = 0; i < count && !r->bad; i++) {
		get_record(r, &record);
		if (r->bad || record.class != CLASS_IN ||
		    !name_eq(&record.owner, name))
			continue;
		if (record.type == (unsigned)type)
			take_address(r, &record, type, answer);
		else if (record.type == TYPE_CNAME)
			take_alias(r, &record, &alias);
	}
	if (r->bad || alias.wire.len == 0)
		return false;
	name_init(name);
	buf_put_str(&name->wire, buf_view(&alias.wire));
	return true;
}

/* Records have no order: each alias is looked for in all of them. */
static enum dns_reading
read_answer(struct reader *r, unsigned records, struct name *name,
	    enum dns_type type, struct dns_answer *answer)
{
	size_t start = r->at;
	unsigned aliases = 0;

	while (read_records(r, records, name, type, answer) &&
	       answer->count == 0 && ++aliases <= ALIASES_MAX)
		r->at = start;
	return r->bad ? DNS_MALFORMED : DNS_COMPLETE;
}

static bool
read_question(struct reader *r, struct str name, enum dns_type type,
	      struct name *asked)
{
	struct name ours;

	name_init(&ours);
	if (!put_name(&ours.wire, name))
		return false;
	get_name(r, asked);
	return get16(r) == (unsigned)type && get16(r) == CLASS_IN && !r->bad &&
	       name_eq(asked, &ours);
}

enum dns_reading
dns_read(struct str message, uint16_t id, struct str name, enum dns_type type,
	 struct dns_answer *answer)
{
	struct reader r = { message, 0, false };
	unsigned flags, questions, records;
	struct name asked;
	bool error;

	*answer = (struct dns_answer){ .rcode = DNS_NOERROR };
	if (message.len < HEADER || get16(&r) != id)
		return DNS_UNRELATED;
	flags = get16(&r);
	questions = get16(&r);
	records = get16(&r);
	r.at = HEADER;
	if ((flags & (FLAG_RESPONSE | MASK_OPCODE)) != FLAG_RESPONSE)
		return DNS_UNRELATED;
	answer->rcode = flags & MASK_RCODE;
	error = answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN;
	if (error && questions == 0)
		return DNS_COMPLETE;
	if (questions != 1 || !read_question(&r, name, type, &asked))
		return DNS_UNRELATED;
	if (error)
		return DNS_COMPLETE;
	if ((flags & FLAG_TRUNCATED) != 0)
		return DNS_TRUNCATED;
	return read_answer(&r, records, &asked, type, answer);
}

const char *
dns_rcode_text(unsigned rcode)
{
	static const char *const TEXTS[] = {
		"no error (NOERROR)",        "format error (FORMERR)",
		"server failure (SERVFAIL)", "no such host (NXDOMAIN)",
		"not implemented (NOTIMP)",  "query refused (REFUSED)",
	};

	if (rcode < sizeof(TEXTS) / sizeof(TEXTS[0]))
		return TEXTS[rcode];
	return "an unknown response code";
}

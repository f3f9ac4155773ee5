/* DNS messages: what is asked, and what of an answer is believed. */
#include "net/dns.h"

#include "test.h"

#define ID 0x1234
#define NAME "www.example.com"
/* What a query for the address of NAME consists of. */
#define QNAME "\3www\7example\3com\0"
#define QUESTION QNAME "\0\1\0\1"

/* Offsets of names in a message with that question. */
#define AT_NAME "\xc0\x0c"
#define AT_EXAMPLE "\xc0\x10"
#define FIRST_RECORD (12 + sizeof(QUESTION) - 1)

/* Records: owner, type, class, time to live, length, data. */
#define A(owner, last) owner "\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2" last
#define CNAME(owner, len, to) owner "\0\5\0\1\0\0\0\x3c\0" len to
#define TYPED(owner, type, class, len) \
	owner "\0" type "\0" class "\0\0\0\x3c\0" len

static char message_memory[65536];
static struct buf message;
static struct dns_answer answer;

static void
put16(unsigned value)
{
	buf_put_char(&message, (char)(value >> 8 & 0xff));
	buf_put_char(&message, (char)(value & 0xff));
}

static void
start_message(unsigned id, unsigned flags, unsigned questions, unsigned records)
{
	buf_init(&message, message_memory, sizeof(message_memory));
	put16(id);
	put16(flags);
	put16(questions);
	put16(records);
	put16(0);
	put16(0);
}

/* Reads a copy without a byte to spare, so that a stray read is seen. */
static enum dns_reading
read_copy(struct str bytes, enum dns_type type)
{
	char *copy = malloc(bytes.len > 0 ? bytes.len : 1);
	enum dns_reading reading;

	if (copy == NULL)
		abort();
	if (bytes.len > 0)
		memcpy(copy, bytes.ptr, bytes.len);
	reading = dns_read((struct str){ copy, bytes.len }, ID, STR(NAME), type,
			   &answer);
	free(copy);
	return reading;
}

TEST(a_query_has_one_question_and_wants_recursion)
{
	char memory[DNS_QUERY_MAX];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	assert_true(dns_query(&out, ID, STR(NAME), DNS_A));
	assert_true(str_eq(buf_view(&out),
			   STR("\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION)));
	buf_reset(&out);
	assert_true(dns_query(&out, 0xffff, STR("a"), DNS_AAAA));
	assert_true(str_eq(buf_view(&out), STR("\xff\xff\1\0\0\1\0\0\0\0\0\0"
					       "\1a\0\0\x1c\0\1")));
}

#define FIVE "abcde"
#define TWENTY FIVE FIVE FIVE FIVE
#define SIXTY TWENTY TWENTY TWENTY
#define LABEL63 SIXTY "abc"

TEST(only_domain_names_are_asked_for)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "a", true },
		{ "_under-score.1", true },
		{ LABEL63, true },
		{ LABEL63 "." LABEL63 "." LABEL63 "." SIXTY "a", true },
		{ LABEL63 "." LABEL63 "." LABEL63 "." SIXTY "ab", false },
		{ LABEL63 "d", false },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ ".a", false },
		{ "a.", false },
	};
	char memory[DNS_QUERY_MAX];
	struct buf out;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, memory, sizeof(memory));
		if (dns_query(&out, ID, str_from(cases[i].name), DNS_A) !=
		    cases[i].valid)
			fail_msg("case %zu: %s", i, cases[i].name);
	}
}

TEST(a_query_that_does_not_fit_is_refused)
{
	char memory[12 + sizeof(QUESTION) - 1];
	struct buf out;

	for (size_t size = 0; size < sizeof(memory); size++) {
		buf_init(&out, memory, size);
		assert_false(dns_query(&out, ID, STR(NAME), DNS_A));
	}
	buf_init(&out, memory, sizeof(memory));
	assert_true(dns_query(&out, ID, STR(NAME), DNS_A));
}

struct answer_case {
	const char *rule;
	enum dns_reading reading;
	unsigned records;
	struct str bytes; /* after the question */
	size_t count;
	unsigned last; /* the last byte of the first address */
};

#define RECORDS(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

static const struct answer_case ANSWERS[] = {
	{ "no address", DNS_COMPLETE, 0, RECORDS(""), 0, 0 },
	{ "one address", DNS_COMPLETE, 1, RECORDS(A(AT_NAME, "\7")), 1, 7 },
	{ "two addresses", DNS_COMPLETE, 2,
	  RECORDS(A(AT_NAME, "\7") A(AT_NAME, "\x8")), 2, 7 },
	{ "a name without compression", DNS_COMPLETE, 1,
	  RECORDS(A(QNAME, "\7")), 1, 7 },
	{ "a name in another case", DNS_COMPLETE, 1,
	  RECORDS(A("\3WwW" AT_EXAMPLE, "\7")), 1, 7 },
	{ "an address of another name", DNS_COMPLETE, 1,
	  RECORDS(A("\3wwx" AT_EXAMPLE, "\7")), 0, 0 },
	{ "an address of the name above", DNS_COMPLETE, 1,
	  RECORDS(A(AT_EXAMPLE, "\7")), 0, 0 },
	{ "a label with a dot in it is not two labels", DNS_COMPLETE, 1,
	  RECORDS(A("\xbwww.example\3com\0", "\7")), 0, 0 },
	{ "a record of another class", DNS_COMPLETE, 1,
	  RECORDS(TYPED(AT_NAME, "\1", "\3", "\4") "abcd"), 0, 0 },
	{ "a record of the other type", DNS_COMPLETE, 1,
	  RECORDS(TYPED(AT_NAME, "\x1c", "\1", "\x10") "0123456789abcdef"), 0,
	  0 },
	{ "an unknown record before", DNS_COMPLETE, 2,
	  RECORDS(TYPED(AT_NAME, "\x63", "\1", "\2") "ab" A(AT_NAME, "\7")), 1,
	  7 },
	{ "records that the header does not count", DNS_COMPLETE, 1,
	  RECORDS(A(AT_NAME, "\7") A(AT_NAME, "\x8") "rest"), 1, 7 },
	{ "an alias, then its address", DNS_COMPLETE, 2,
	  RECORDS(CNAME(AT_NAME, "\6", "\3cdn" AT_EXAMPLE)
			  A("\3cdn" AT_EXAMPLE, "\7")),
	  1, 7 },
	{ "an alias after its address", DNS_COMPLETE, 2,
	  RECORDS(A("\3cdn" AT_EXAMPLE, "\7")
			  CNAME(AT_NAME, "\6", "\3cdn" AT_EXAMPLE)),
	  1, 7 },
	{ "an alias, and the address of a third", DNS_COMPLETE, 2,
	  RECORDS(CNAME(AT_NAME, "\6", "\3cdn" AT_EXAMPLE)
			  A("\3cdm" AT_EXAMPLE, "\7")),
	  0, 0 },
	{ "an alias without its address", DNS_COMPLETE, 1,
	  RECORDS(CNAME(AT_NAME, "\6", "\3cdn" AT_EXAMPLE)), 0, 0 },
	{ "an alias of itself", DNS_COMPLETE, 1,
	  RECORDS(CNAME(AT_NAME, "\2", AT_NAME)), 0, 0 },
	{ "aliases in a circle", DNS_COMPLETE, 2,
	  RECORDS(CNAME(AT_NAME, "\2", AT_EXAMPLE)
			  CNAME(AT_EXAMPLE, "\2", AT_NAME)),
	  0, 0 },
	{ "an alias to the root", DNS_COMPLETE, 1,
	  RECORDS(CNAME(AT_NAME, "\1", "\0")), 0, 0 },

	{ "fewer records than the header counts", DNS_MALFORMED, 2,
	  RECORDS(A(AT_NAME, "\7")), 1, 7 },
	{ "an address of three bytes", DNS_MALFORMED, 1,
	  RECORDS(TYPED(AT_NAME, "\1", "\1", "\3") "abc"), 0, 0 },
	{ "an address of five bytes", DNS_MALFORMED, 1,
	  RECORDS(TYPED(AT_NAME, "\1", "\1", "\5") "abcde"), 0, 0 },
	{ "data beyond the end", DNS_MALFORMED, 1,
	  RECORDS(TYPED(AT_NAME, "\x63", "\1", "\2") "a"), 0, 0 },
	{ "an alias that ends before its data", DNS_MALFORMED, 1,
	  RECORDS(CNAME(AT_NAME, "\3", AT_EXAMPLE "x")), 0, 0 },
	{ "an alias that ends after its data", DNS_MALFORMED, 1,
	  RECORDS(CNAME(AT_NAME, "\1", AT_EXAMPLE)), 0, 0 },
	/* 0x21 is the offset of the record itself */
	{ "a pointer to itself", DNS_MALFORMED, 1, RECORDS(A("\xc0\x21", "\7")),
	  0, 0 },
	{ "a pointer to the label before it", DNS_MALFORMED, 1,
	  RECORDS(A("\1a\xc0\x21", "\7")), 0, 0 },
	{ "a pointer forward", DNS_MALFORMED, 1,
	  RECORDS(A("\xc0\x23", "\7") "\1a\0"), 0, 0 },
	{ "a pointer out of the message", DNS_MALFORMED, 1,
	  RECORDS(A("\xff\xff", "\7")), 0, 0 },
	{ "half a pointer", DNS_MALFORMED, 1, RECORDS("\xc0"), 0, 0 },
	{ "a label type of 01", DNS_MALFORMED, 1,
	  RECORDS(A("\x41"
		    "a\0",
		    "\7")),
	  0, 0 },
	{ "a label type of 10", DNS_MALFORMED, 1,
	  RECORDS(A("\x81"
		    "a\0",
		    "\7")),
	  0, 0 },
	{ "a label beyond the end", DNS_MALFORMED, 1,
	  RECORDS("\x3f"
		  "abc"),
	  0, 0 },
};

TEST(an_answer_gives_the_addresses_of_the_name)
{
	for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(ANSWERS[0]); i++) {
		const struct answer_case *c = &ANSWERS[i];
		enum dns_reading reading;

		start_message(ID, 0x8180, 1, c->records);
		buf_put_str(&message, STR(QUESTION));
		buf_put_str(&message, c->bytes);
		reading = read_copy(buf_view(&message), DNS_A);
		if (reading != c->reading ||
		    (reading == DNS_COMPLETE &&
		     (answer.count != c->count || answer.rcode != 0 ||
		      (c->count > 0 && answer.address[0].bytes[3] != c->last))))
			fail_msg("%s: reading %d, %zu addresses", c->rule,
				 (int)reading, answer.count);
	}
}

TEST(an_aaaa_answer_has_addresses_of_16_bytes)
{
	start_message(ID, 0x8180, 1, 2);
	buf_put_str(&message, STR(QNAME "\0\x1c\0\1"));
	buf_put_str(&message, STR(A(AT_NAME, "\7")));
	buf_put_str(&message, STR(TYPED(AT_NAME, "\x1c", "\1",
					"\x10") "0123456789abcdef"));
	assert_int_equal(read_copy(buf_view(&message), DNS_AAAA), DNS_COMPLETE);
	assert_int_equal(answer.count, 1);
	assert_memory_equal(answer.address[0].bytes, "0123456789abcdef", 16);
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_UNRELATED);
}

struct header_case {
	const char *rule;
	enum dns_reading reading;
	unsigned rcode;
	unsigned id, flags, questions, records;
	struct str bytes; /* after the header */
};

static const struct header_case HEADERS[] = {
	{ "an answer", DNS_COMPLETE, 0, ID, 0x8180, 1, 0, RECORDS(QUESTION) },
	{ "an authoritative one", DNS_COMPLETE, 0, ID, 0x8400, 1, 0,
	  RECORDS(QUESTION) },
	{ "NXDOMAIN", DNS_COMPLETE, 3, ID, 0x8183, 1, 0, RECORDS(QUESTION) },
	{ "a question in another case", DNS_COMPLETE, 0, ID, 0x8180, 1, 0,
	  RECORDS("\3wWw\7eXample\3coM\0\0\1\0\1") },
	{ "SERVFAIL", DNS_COMPLETE, 2, ID, 0x8182, 1, 0, RECORDS(QUESTION) },
	{ "REFUSED without the question", DNS_COMPLETE, 5, ID, 0x8185, 0, 0,
	  RECORDS("") },
	{ "an error's records are not read", DNS_COMPLETE, 2, ID, 0x8182, 1, 9,
	  RECORDS(QUESTION) },
	{ "a truncated error", DNS_COMPLETE, 2, ID, 0x8382, 1, 0,
	  RECORDS(QUESTION) },
	{ "a truncated answer", DNS_TRUNCATED, 0, ID, 0x8380, 1, 0,
	  RECORDS(QUESTION) },
	{ "one that is truncated within a record", DNS_TRUNCATED, 0, ID, 0x8380,
	  1, 1, RECORDS(QUESTION "\xc0") },

	{ "another id", DNS_UNRELATED, 0, ID + 1, 0x8180, 1, 0,
	  RECORDS(QUESTION) },
	{ "SERVFAIL with another id", DNS_UNRELATED, 2, ID + 1, 0x8182, 0, 0,
	  RECORDS("") },
	{ "a query", DNS_UNRELATED, 0, ID, 0x0100, 1, 0, RECORDS(QUESTION) },
	{ "another kind of query", DNS_UNRELATED, 0, ID, 0xa180, 1, 0,
	  RECORDS(QUESTION) },
	{ "no question", DNS_UNRELATED, 0, ID, 0x8180, 0, 0,
	  RECORDS(QUESTION) },
	{ "NXDOMAIN without the question", DNS_UNRELATED, 3, ID, 0x8183, 0, 0,
	  RECORDS("") },
	{ "two questions", DNS_UNRELATED, 0, ID, 0x8180, 2, 0,
	  RECORDS(QUESTION QUESTION) },
	{ "a question for another name", DNS_UNRELATED, 0, ID, 0x8180, 1, 0,
	  RECORDS("\3wwx\7example\3com\0\0\1\0\1") },
	{ "SERVFAIL for another name", DNS_UNRELATED, 2, ID, 0x8182, 1, 0,
	  RECORDS("\3wwx\7example\3com\0\0\1\0\1") },
	{ "a question of another type", DNS_UNRELATED, 0, ID, 0x8180, 1, 0,
	  RECORDS(QNAME "\0\x1c\0\1") },
	{ "a question of another class", DNS_UNRELATED, 0, ID, 0x8180, 1, 0,
	  RECORDS(QNAME "\0\1\0\3") },
	{ "a question that points at itself", DNS_UNRELATED, 0, ID, 0x8180, 1,
	  0, RECORDS("\xc0\x0c\0\1\0\1") },
	{ "half a question", DNS_UNRELATED, 0, ID, 0x8180, 1, 0,
	  RECORDS(QNAME) },
};

TEST(only_an_answer_to_our_query_is_believed)
{
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		const struct header_case *c = &HEADERS[i];
		enum dns_reading reading;

		start_message(c->id, c->flags, c->questions, c->records);
		buf_put_str(&message, c->bytes);
		reading = read_copy(buf_view(&message), DNS_A);
		if (reading != c->reading ||
		    (reading == DNS_COMPLETE && answer.rcode != c->rcode))
			fail_msg("%s: reading %d, response code %u", c->rule,
				 (int)reading, answer.rcode);
	}
}

TEST(an_answer_that_is_cut_is_never_complete)
{
	size_t whole;

	start_message(ID, 0x8180, 1, 2);
	buf_put_str(&message,
		    STR(QUESTION CNAME(AT_NAME, "\6", "\3cdn" AT_EXAMPLE)
				A("\3cdn" AT_EXAMPLE, "\7")));
	whole = message.len;
	for (size_t len = 0; len < whole; len++) {
		enum dns_reading reading =
			read_copy((struct str){ message.ptr, len }, DNS_A);

		assert_int_equal(reading, len < FIRST_RECORD ? DNS_UNRELATED
							     : DNS_MALFORMED);
	}
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_COMPLETE);
}

TEST(addresses_beyond_the_limit_are_left_out)
{
	static const char record[] = A(AT_NAME, "\7");

	start_message(ID, 0x8180, 1, ADDRESSES_MAX + 3);
	buf_put_str(&message, STR(QUESTION));
	for (unsigned i = 0; i < ADDRESSES_MAX + 3; i++) {
		buf_put(&message, record, sizeof(record) - 2);
		buf_put_char(&message, (char)i);
	}
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_COMPLETE);
	assert_int_equal(answer.count, ADDRESSES_MAX);
	assert_int_equal(answer.address[ADDRESSES_MAX - 1].bytes[3],
			 ADDRESSES_MAX - 1);
}

/* www is an alias of a0, a0 of a1 and so on; the last one has an address. */
static void
put_alias_chain(unsigned aliases)
{
	start_message(ID, 0x8180, 1, aliases + 1);
	buf_put_str(&message, STR(QUESTION));
	for (unsigned i = 0; i < aliases; i++) {
		if (i == 0) {
			buf_put_str(&message, STR(AT_NAME));
		} else {
			buf_put_str(&message, STR("\2a"));
			buf_put_char(&message, (char)('a' + i - 1));
			buf_put_char(&message, 0);
		}
		buf_put_str(&message, STR("\0\5\0\1\0\0\0\x3c\0\4\2a"));
		buf_put_char(&message, (char)('a' + i));
		buf_put_char(&message, 0);
	}
	buf_put_str(&message, STR("\2a"));
	buf_put_char(&message, (char)('a' + aliases - 1));
	buf_put_str(&message, STR(A("\0", "\7")));
}

TEST(ten_aliases_are_followed_and_no_more)
{
	put_alias_chain(10);
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_COMPLETE);
	assert_int_equal(answer.count, 1);
	put_alias_chain(11);
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_COMPLETE);
	assert_int_equal(answer.count, 0);
}

/* An owner of labels of 49 bytes and a last one, `wire` bytes in all. */
static void
put_long_owner(size_t wire)
{
	size_t left = wire - 1;

	start_message(ID, 0x8180, 1, 1);
	buf_put_str(&message, STR(QUESTION));
	while (left > 0) {
		size_t label = left > 50 ? 49 : left - 1;

		buf_put_char(&message, (char)label);
		for (size_t i = 0; i < label; i++)
			buf_put_char(&message, 'x');
		left -= label + 1;
	}
	buf_put_str(&message, STR(A("\0", "\7")));
}

TEST(a_name_has_at_most_255_bytes)
{
	put_long_owner(255);
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_COMPLETE);
	put_long_owner(256);
	assert_int_equal(read_copy(buf_view(&message), DNS_A), DNS_MALFORMED);
}

TEST(response_codes_have_names)
{
	assert_string_equal(dns_rcode_text(2), "server failure (SERVFAIL)");
	assert_string_equal(dns_rcode_text(3), "no such host (NXDOMAIN)");
	assert_string_equal(dns_rcode_text(5), "query refused (REFUSED)");
	assert_string_equal(dns_rcode_text(6), "an unknown response code");
	assert_string_equal(dns_rcode_text(4096), "an unknown response code");
}

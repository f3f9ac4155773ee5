/* Names of certificates: RFC 5280 section 7.1. */
#include "net/name.h"

#include "make_certificate.h"
#include "test.h"

#define BMP_STRING 0x1e

/* A Name of one common name, as text of a given type. */
static struct str
typed(unsigned tag, struct str value)
{
	return der(DER_SEQUENCE,
		   der(DER_SET,
		       der(DER_SEQUENCE, der(DER_OID, STR("\x55\x04\x03"), END),
			   der(tag, value, END), END),
		       END),
		   END);
}

TEST(texts_are_compared_by_what_they_say)
{
	static const struct {
		unsigned tag;
		struct str value;
		unsigned other_tag;
		struct str other;
		bool equal;
	} rows[] = {
		{ DER_UTF8_STRING, STR("Root CA"), DER_PRINTABLE_STRING,
		  STR("Root CA"), true },
		{ DER_IA5_STRING, STR("Root CA"), DER_UTF8_STRING,
		  STR("rOOT ca"), true },
		{ DER_UTF8_STRING, STR("Root CA"), DER_UTF8_STRING,
		  STR(" Root \t  CA  "), true },
		{ DER_UTF8_STRING, STR(""), DER_UTF8_STRING, STR("  "), true },
		{ DER_UTF8_STRING, STR("Root CA"), DER_UTF8_STRING,
		  STR("RootCA"), false },
		{ DER_UTF8_STRING, STR("Root CA"), DER_UTF8_STRING,
		  STR("R ootCA"), false },
		{ DER_UTF8_STRING, STR("Root CA"), DER_UTF8_STRING,
		  STR("Root C"), false },
		{ DER_UTF8_STRING, STR("Root CA"), DER_UTF8_STRING, STR(""),
		  false },
		{ DER_UTF8_STRING, STR("a\0b"), DER_UTF8_STRING, STR("a\0c"),
		  false },
		{ DER_UTF8_STRING, STR("a"), DER_UTF8_STRING, STR("a\0"),
		  false },
		/* ASCII case only */
		{ DER_UTF8_STRING, STR("\xc3\xa4"), DER_UTF8_STRING,
		  STR("\xc3\x84"), false },
		/* other types by their bytes */
		{ BMP_STRING, STR("\0a"), BMP_STRING, STR("\0a"), true },
		{ BMP_STRING, STR("\0a"), BMP_STRING, STR("\0A"), false },
		{ BMP_STRING, STR("a"), DER_UTF8_STRING, STR("a"), false },
		{ DER_OCTET_STRING, STR("a"), DER_OCTET_STRING, STR("A"),
		  false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str a = typed(rows[i].tag, rows[i].value);
		struct str b = typed(rows[i].other_tag, rows[i].other);

		if (name_equal(a, b) != rows[i].equal ||
		    name_equal(b, a) != rows[i].equal)
			fail_msg("row %zu", i);
		made_reset();
	}
}

TEST(the_structure_must_be_the_same)
{
	const struct str o = name_part("\x0a", "x"), cn = name_part("\3", "X");
	const struct str upper_o = name_part("\x0a", "X");
	const struct str pair =
		der(DER_SEQUENCE, der(DER_OID, STR("\x55\x04\x03"), END),
		    der(DER_UTF8_STRING, STR("X"), END), END);
	const struct {
		struct str a, b;
		bool equal;
	} rows[] = {
		{ der(DER_SEQUENCE, o, cn, END),
		  der(DER_SEQUENCE, upper_o, cn, END), true },
		{ der(DER_SEQUENCE, o, cn, END), der(DER_SEQUENCE, cn, o, END),
		  false },
		{ der(DER_SEQUENCE, o, cn, END),
		  der(DER_SEQUENCE, upper_o, END), false },
		{ der(DER_SEQUENCE, o, END), der(DER_SEQUENCE, cn, END),
		  false },
		{ der(DER_SEQUENCE, o, END), der(DER_SET, upper_o, END),
		  false },
		{ der(DER_SEQUENCE, END), der(DER_SEQUENCE, END), true },
		{ der(DER_SEQUENCE, END), der(DER_SEQUENCE, o, END), false },
		/* one set of two is not two sets of one */
		{ der(DER_SEQUENCE, der(DER_SET, pair, pair, END), END),
		  der(DER_SEQUENCE, der(DER_SET, pair, END),
		      der(DER_SET, pair, END), END),
		  false },
		/* cut, and no name at all */
		{ STR("\x30\x05\x31"), STR("\x30\x06\x31"), false },
		{ STR("\x30\x05\x31"), STR("\x30\x05\x31"), true },
		{ STR(""), STR(""), true },
		{ STR(""), der(DER_SEQUENCE, END), false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (name_equal(rows[i].a, rows[i].b) != rows[i].equal ||
		    name_equal(rows[i].b, rows[i].a) != rows[i].equal)
			fail_msg("row %zu", i);
	made_reset();
}

TEST(names_are_shown_by_common_name_or_organization)
{
	const struct str cn = name_part("\x03", "Common");
	const struct str o = name_part("\x0a", "Organization");
	const struct str c_ = name_part("\x06", "DE");
	const struct {
		struct str name;
		const char *text;
	} rows[] = {
		{ der(DER_SEQUENCE, c_, o, cn, END), "Common" },
		{ der(DER_SEQUENCE, cn, o, END), "Common" },
		{ der(DER_SEQUENCE, c_, o, END), "Organization" },
		{ der(DER_SEQUENCE, c_, END), "unnamed" },
		{ der(DER_SEQUENCE, END), "unnamed" },
		{ STR(""), "unnamed" },
		{ STR("\x31\0"), "unnamed" },
		{ common_name("a\nb\"c\x1b[1m"), "a?b?c?[1m" },
		{ common_name(""), "" },
	};
	char memory[512];
	struct buf out;

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init(&out, memory, sizeof(memory));
		name_put(rows[i].name, &out);
		if (!str_eq(buf_view(&out), str_from(rows[i].text)))
			fail_msg("row %zu", i);
	}
	made_reset();
}

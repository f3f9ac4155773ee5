/* PEM in pieces of any size, well-formed and not. */
#include "net/pem.h"

#include "test.h"

#define HEAD "-----BEGIN X-----\n"
#define TAIL "-----END X-----\n"
/* 48 and 3 bytes in base64 */
#define LINE "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"

/* Writes the events of a text that comes in pieces of `size`: "B(X)abcE". */
static const char *
events(struct str text, size_t size)
{
	static char memory[1024];
	struct pem_reader reader = { .count = 0 };
	struct buf out;

	buf_init(&out, memory, sizeof(memory) - 1);
	while (text.len > 0) {
		struct str piece = { text.ptr,
				     text.len < size ? text.len : size };

		text = str_skip(text, piece.len);
		while (piece.len > 0) {
			switch (pem_next(&reader, &piece)) {
			case PEM_BEGIN:
				buf_put_cstr(&out, "B(");
				buf_put_cstr(&out, reader.label);
				buf_put_char(&out, ')');
				break;
			case PEM_BYTES:
				assert_in_range(reader.count, 1, 48);
				buf_put(&out, reader.bytes, reader.count);
				break;
			case PEM_END:
				buf_put_char(&out, 'E');
				break;
			case PEM_ERROR:
				buf_put_char(&out, '!');
				break;
			case PEM_MORE:
				assert_int_equal(piece.len, 0);
				break;
			}
		}
	}
	memory[out.len] = '\0';
	return memory;
}

#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	struct str text;
	const char *events;
} ROWS[] = {
	{ STR(HEAD "Zm9v\n" TAIL), "B(X)fooE" },
	{ STR(HEAD TAIL), "B(X)E" },
	{ STR(HEAD "Zg==\n" TAIL), "B(X)fE" },
	{ STR(HEAD "Zm9v\r\nZm8=\r\n-----END X-----\r\n"), "B(X)foofoE" },
	{ STR(HEAD "Zm 9\n\nv \t\nYmFy\n" TAIL), "B(X)foobarE" },
	{ STR(HEAD LINE "\nZm9v\n" TAIL), "B(X)" LONG "fooE" },
	{ STR(HEAD LINE LINE "Zm9v\n" TAIL), "B(X)" LONG LONG "fooE" },
	{ STR("text\n" HEAD "Zm9v\n" TAIL "-- \n-----\n" HEAD TAIL),
	  "B(X)fooEB(X)E" },
	{ STR("-----BEGIN RSA PRIVATE KEY-----  \nZm9v\n"
	      "-----END RSA PRIVATE KEY----- \n"),
	  "B(RSA PRIVATE KEY)fooE" },
	{ STR("\xef\xbb\xbf" HEAD "Zm9v\n" TAIL "\xef\xbb\xbf" HEAD TAIL),
	  "B(X)fooEB(X)E" },
	/* no boundaries */
	{ STR("\xef\xbb" HEAD "Zm9v\n"), "" },
	{ STR(" " HEAD "Zm9v\n"), "" },
	{ STR("-----BEGIN X----\nZm9v\n"), "" },
	{ STR("-----BEGIN -----\n-----END -----\n"), "B()E" },
	{ STR("-----BEGIN ----\n"), "" },
	{ STR("-----begin X-----\n"), "" },
	{ STR("-----BEGIN " LINE LINE "-----\n"), "" },
	{ STR(TAIL), "" },
	{ STR("-----BEGIN X-----"), "" },
	{ STR(HEAD "Zm9v\n-----END X-----"), "B(X)" },
	/* malformed blocks; what follows is read all the same */
	{ STR(HEAD "Zm9\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zm9*\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zg==Zg==\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5"
		   "YWJjZg==\nZg==\n" TAIL HEAD TAIL),
	  "B(X)0123456789abcdef0123456789abcdef0123456789abcf!B(X)E" },
	{ STR(HEAD "Zh==\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zm9v-\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zm9_\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zm\0v\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "-----END Y-----\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "---\n" TAIL HEAD TAIL), "B(X)!B(X)E" },
	{ STR(HEAD "Zm9v\n" HEAD "YmFy\n" TAIL), "B(X)!B(X)barE" },
	{ STR(HEAD "Proc-Type: 4,ENCRYPTED\n\nZm9v\n" TAIL HEAD TAIL),
	  "B(X)!B(X)E" },
};

TEST(each_text_has_its_events)
{
	for (size_t i = 0; i < COUNT(ROWS); i++)
		for (size_t size = 1; size <= ROWS[i].text.len; size++)
			if (strcmp(events(ROWS[i].text, size),
				   ROWS[i].events) != 0)
				fail_msg("row %zu in pieces of %zu: %s", i,
					 size, events(ROWS[i].text, size));
}

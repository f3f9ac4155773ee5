/* Makes DER, certificates and PEM for a test, right ones and wrong ones. */
#ifndef UNIT_MAKE_CERTIFICATE_H
#define UNIT_MAKE_CERTIFICATE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "net/der.h"

#define END ((struct str){ NULL, 0 })

#define OID_RSA STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_SHA256_RSA STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_EC STR("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256 STR("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384 STR("\x2b\x81\x04\x00\x22")
#define OID_P521 STR("\x2b\x81\x04\x00\x23")

/* What is made lies here, until made_reset(). */
static char made_memory[1 << 22];
static size_t made_used;

static void
made_reset(void)
{
	made_used = 0;
}

static char *
made_room(size_t len)
{
	char *at = made_memory + made_used;

	if (len > sizeof(made_memory) - made_used)
		abort();
	made_used += len;
	return at;
}

/* An element of the parts that follow, the last of them END. */
static struct str
der(unsigned tag, ...)
{
	char *content = made_room(0), header[4], *whole;
	size_t len = 0, size = 2;
	struct str part;
	va_list parts;

	va_start(parts, tag);
	while ((part = va_arg(parts, struct str)).ptr != NULL) {
		memmove(made_room(part.len), part.ptr, part.len);
		len += part.len;
	}
	va_end(parts);
	header[0] = (char)tag;
	header[1] = (char)len;
	if (len >= 0x80) {
		size = len < 0x100 ? 3 : 4;
		header[1] = (char)(0x80 | (size - 2));
		header[2] = (char)(size == 3 ? len : len >> 8);
		header[3] = (char)len;
	}
	whole = made_room(size);
	memmove(whole - len + size, content, len);
	memcpy(content, header, size);
	return (struct str){ content, size + len };
}

/* `len` bytes: `first`, and then `others`. */
static struct str
bytes_of(size_t len, int first, int others)
{
	char *at = made_room(len);

	memset(at, others, len);
	at[0] = (char)first;
	return (struct str){ at, len };
}

/* AlgorithmIdentifier, and the same with a parameter. */
static struct str
algorithm(struct str oid)
{
	return der(DER_SEQUENCE, der(DER_OID, oid, END), END);
}

static struct str
public_key(struct str algorithm_identifier, struct str key)
{
	return der(DER_SEQUENCE, algorithm_identifier,
		   der(DER_BIT_STRING, STR("\0"), key, END), END);
}

/* A modulus of `bits` bits; `last` tells one key from another. */
static struct str
rsa_key(size_t bits, struct str exponent, int last)
{
	size_t len = (bits + 7) / 8;
	char *modulus = made_room(len + 1);

	memset(modulus, 0, len + 1);
	modulus[1] = (char)(1 << ((bits - 1) % 8));
	modulus[len] = (char)last;
	return public_key(algorithm(OID_RSA),
			  der(DER_SEQUENCE,
			      der(DER_INTEGER,
				  (struct str){ modulus + ((bits % 8) != 0),
						len + ((bits % 8) == 0) },
				  END),
			      der(DER_INTEGER, exponent, END), END));
}

static struct str
ec_key(struct str curve, size_t point_length, int last)
{
	return public_key(der(DER_SEQUENCE, der(DER_OID, OID_EC, END),
			      der(DER_OID, curve, END), END),
			  bytes_of(point_length, 4, last));
}

/* One part of a Name, as commonName: { 2 5 4 3 }. */
static struct str
name_part(const char *type, const char *value)
{
	return der(DER_SET,
		   der(DER_SEQUENCE,
		       der(DER_OID, STR("\x55\x04"), (struct str){ type, 1 },
			   END),
		       der(DER_UTF8_STRING, str_from(value), END), END),
		   END);
}

static struct str
common_name(const char *value)
{
	return der(DER_SEQUENCE, name_part("\x03", value), END);
}

/* An Extension of id-ce, { 2 5 29 N }. */
static struct str
extension(int number, struct str value)
{
	char *last = made_room(1);

	*last = (char)number;
	return der(DER_SEQUENCE,
		   der(DER_OID, STR("\x55\x1d"), (struct str){ last, 1 }, END),
		   der(DER_OCTET_STRING, value, END), END);
}

/* What a certificate is made of; each part may be wrong. */
struct recipe {
	struct str version;
	struct str serial;
	struct str algorithm; /* inside */
	struct str issuer;
	struct str validity;
	struct str subject;
	struct str key;
	struct str extensions; /* [3], or empty */
	struct str outer_algorithm;
	struct str signature;
};

static struct str
valid_times(const char *first, const char *last)
{
	return der(DER_SEQUENCE, der(DER_UTC_TIME, str_from(first), END),
		   der(DER_UTC_TIME, str_from(last), END), END);
}

/* A root of P-256, valid in 2020 to 2030. */
static struct recipe
good_recipe(void)
{
	return (struct recipe){
		.version = der(0xa0, der(DER_INTEGER, STR("\2"), END), END),
		.serial = der(DER_INTEGER, STR("\1"), END),
		.algorithm = algorithm(OID_SHA256_RSA),
		.issuer = common_name("Issuer"),
		.validity = valid_times("200101000000Z", "291231235959Z"),
		.subject = common_name("Subject"),
		.key = ec_key(OID_P256, 65, 1),
		.extensions = STR(""),
		.outer_algorithm = algorithm(OID_SHA256_RSA),
		.signature = der(DER_BIT_STRING, STR("\0signature"), END),
	};
}

static struct str
extension_list(struct str first, struct str second)
{
	return der(0xa3, der(DER_SEQUENCE, first, second, END), END);
}

static struct str
make_certificate(const struct recipe *r)
{
	return der(DER_SEQUENCE,
		   der(DER_SEQUENCE, r->version, r->serial, r->algorithm,
		       r->issuer, r->validity, r->subject, r->key,
		       r->extensions, END),
		   r->outer_algorithm, r->signature, END);
}

#endif

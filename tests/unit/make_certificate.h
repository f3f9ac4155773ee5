/* Makes certificates for a test, right ones and wrong ones. */
#ifndef UNIT_MAKE_CERTIFICATE_H
#define UNIT_MAKE_CERTIFICATE_H

#include "make_der.h"

/* AlgorithmIdentifier, and the same with a parameter. */
static inline struct str
algorithm(struct str oid)
{
	return der(DER_SEQUENCE, der(DER_OID, oid, END), END);
}

static inline struct str
public_key(struct str algorithm_identifier, struct str key)
{
	return der(DER_SEQUENCE, algorithm_identifier,
		   der(DER_BIT_STRING, STR("\0"), key, END), END);
}

/* A modulus of `bits` bits; `last` tells one key from another. */
static inline struct str
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

static inline struct str
ec_key(struct str curve, size_t point_length, int last)
{
	return public_key(der(DER_SEQUENCE, der(DER_OID, OID_EC, END),
			      der(DER_OID, curve, END), END),
			  bytes_of(point_length, 4, last));
}

/* One part of a Name, as commonName: { 2 5 4 3 }. */
static inline struct str
name_part(const char *type, const char *value)
{
	return der(DER_SET,
		   der(DER_SEQUENCE,
		       der(DER_OID, STR("\x55\x04"), (struct str){ type, 1 },
			   END),
		       der(DER_UTF8_STRING, str_from(value), END), END),
		   END);
}

static inline struct str
common_name(const char *value)
{
	return der(DER_SEQUENCE, name_part("\x03", value), END);
}

/* An Extension of id-ce, { 2 5 29 N }. */
static inline struct str
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

static inline struct str
valid_times(const char *first, const char *last)
{
	return der(DER_SEQUENCE, der(DER_UTC_TIME, str_from(first), END),
		   der(DER_UTC_TIME, str_from(last), END), END);
}

/* A root of P-256, valid in 2020 to 2030. */
static inline struct recipe
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

static inline struct str
extension_list(struct str first, struct str second)
{
	return der(0xa3, der(DER_SEQUENCE, first, second, END), END);
}

static inline struct str
make_certificate(const struct recipe *r)
{
	return der(DER_SEQUENCE,
		   der(DER_SEQUENCE, r->version, r->serial, r->algorithm,
		       r->issuer, r->validity, r->subject, r->key,
		       r->extensions, END),
		   r->outer_algorithm, r->signature, END);
}

#endif

#include "net/certificate.h"

#include "net/name.h"

#define OID(literal) STR(literal)
#define OID_RSA OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_EC OID("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256 OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384 OID("\x2b\x81\x04\x00\x22")
#define OID_P521 OID("\x2b\x81\x04\x00\x23")
#define OID_SERVER_AUTH OID("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define ID_CE STR("\x55\x1d")
#define OID_ANY_USAGE OID("\x55\x1d\x25\x00")

/* GeneralName dNSName, [2] IA5String. */
#define TAG_DNS_NAME 0x82
/* Of TBSCertificate, [0] and [3] (RFC 5280 section 4.1). */
#define TAG_VERSION 0xa0
#define TAG_EXTENSIONS 0xa3
/* Of KeyUsage (RFC 5280 section 4.2.1.3), in its first byte. */
#define DIGITAL_SIGNATURE 0x80
#define KEY_CERT_SIGN 0x04

/* Odd and at least 3 (RFC 8017 section 3.1): with 1 anybody can sign. */
static bool
is_exponent(struct str exponent)
{
	unsigned char last;

	if (exponent.len == 0)
		return false;
	last = (unsigned char)exponent.ptr[exponent.len - 1];
	return last % 2 == 1 && (exponent.len > 1 || last >= 3);
}

static bool
read_rsa_key(struct certificate *c, struct str key)
{
	struct der list, modulus, exponent;

	if (!der_expect(&key, DER_SEQUENCE, &list) ||
	    !der_expect(&list.content, DER_INTEGER, &modulus) ||
	    !der_expect(&list.content, DER_INTEGER, &exponent))
		return false;
	if (!der_unsigned(modulus.content, &c->rsa_modulus) ||
	    !der_unsigned(exponent.content, &c->rsa_exponent))
		return false;
	if (is_exponent(c->rsa_exponent))
		c->key_type = KEY_RSA;
	return true;
}

static void
read_ec_key(struct certificate *c, struct str parameters, struct str key)
{
	struct der curve;

	c->ec_point = key;
	if (!der_expect(&parameters, DER_OID, &curve))
		return; /* explicit curves are unsupported */
	if (str_eq(curve.content, OID_P256) && key.len == 65)
		c->key_type = KEY_P256;
	else if (str_eq(curve.content, OID_P384) && key.len == 97)
		c->key_type = KEY_P384;
	else if (str_eq(curve.content, OID_P521) && key.len == 133)
		c->key_type = KEY_P521;
}

/* SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
static bool
read_key(struct certificate *c, struct str info)
{
	struct der algorithm, oid, bits;
	struct str key;

	c->key_type = KEY_UNSUPPORTED;
	if (!der_expect(&info, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&algorithm.content, DER_OID, &oid) ||
	    !der_expect(&info, DER_BIT_STRING, &bits) || bits.content.len < 2 ||
	    bits.content.ptr[0] != 0)
		return false;
	key = str_skip(bits.content, 1);
	if (str_eq(oid.content, OID_RSA))
		return read_rsa_key(c, key);
	if (str_eq(oid.content, OID_EC))
		read_ec_key(c, algorithm.content, key);
	return true;
}

/* BasicConstraints (RFC 5280 section 4.2.1.9). */
static bool
read_basic_constraints(struct certificate *c, struct str value)
{
	struct der list, ca, number;
	struct str bytes;

	if (!der_expect(&value, DER_SEQUENCE, &list))
		return false;
	if (der_expect(&list.content, DER_BOOLEAN, &ca))
		c->is_ca = ca.content.len == 1 && ca.content.ptr[0] != 0;
	if (!der_expect(&list.content, DER_INTEGER, &number))
		return true;
	if (!der_unsigned(number.content, &bytes))
		return false;
	if (bytes.len == 1 && (unsigned char)bytes.ptr[0] < PATH_UNLIMITED)
		c->path_length = (unsigned char)bytes.ptr[0];
	return true;
}

/*
 * Whether a critical extension is processed here or is only informative, as for
 * BearSSL.
 */
static bool
is_supported(struct str oid)
{
	static const unsigned char id_ce[] = { 9,  14, 15, 17, 18, 19,
					       30, 31, 32, 35, 37, 46 };

	/* authorityInfoAccess and subjectInfoAccess, of id-pe */
	if (str_eq(oid, OID("\x2b\x06\x01\x05\x05\x07\x01\x01")) ||
	    str_eq(oid, OID("\x2b\x06\x01\x05\x05\x07\x01\x0b")))
		return true;
	if (oid.len != 3 || !str_starts(oid, ID_CE))
		return false;
	for (size_t i = 0; i < sizeof(id_ce); i++)
		if ((unsigned char)oid.ptr[2] == id_ce[i])
			return true;
	return false;
}

/* One Extension; of id-ce, { 2 5 29 n }, those that matter here. */
static bool
read_extension(struct certificate *c, struct str extension)
{
	struct der oid, critical, value;
	bool is_critical;

	if (!der_expect(&extension, DER_OID, &oid))
		return false;
	is_critical = der_expect(&extension, DER_BOOLEAN, &critical) &&
		      critical.content.len == 1 && critical.content.ptr[0] != 0;
	if (!der_expect(&extension, DER_OCTET_STRING, &value))
		return false;
	if (is_critical && !is_supported(oid.content))
		c->has_unknown_critical = true;
	if (oid.content.len != 3 || !str_starts(oid.content, ID_CE))
		return true;
	switch (oid.content.ptr[2]) {
	case 15:
		c->key_usage = value.content;
		break;
	case 17:
		c->subject_alt_name = value.content;
		break;
	case 19:
		return read_basic_constraints(c, value.content);
	case 30:
		c->has_name_constraints = true;
		break;
	case 37:
		c->extended_key_usage = value.content;
		if (is_critical)
			c->critical_purposes = critical.content;
		break;
	default:
		break;
	}
	return true;
}

/*
 * Whether `list` holds a second extension with the OID of `extension`, of which
 * two implementations could use different ones (RFC 5280 section 4.2).
 */
static bool
is_duplicate(struct str extension, struct str list)
{
	struct der oid, other, other_oid;

	if (!der_expect(&extension, DER_OID, &oid))
		return false;
	while (der_expect(&list, DER_SEQUENCE, &other))
		if (der_expect(&other.content, DER_OID, &other_oid) &&
		    str_eq(oid.content, other_oid.content))
			return true;
	return false;
}

static bool
read_extensions(struct certificate *c, struct str list)
{
	struct der extension;

	while (list.len > 0)
		if (!der_expect(&list, DER_SEQUENCE, &extension) ||
		    is_duplicate(extension.content, list) ||
		    !read_extension(c, extension.content))
			return false;
	return true;
}

/* What follows the key: unique identifiers and extensions. */
static bool
read_optional(struct certificate *c, unsigned version, struct str rest)
{
	struct der element, list;

	while (rest.len > 0) {
		if (!der_next(&rest, &element))
			return false;
		if (element.tag != TAG_EXTENSIONS)
			continue; /* issuerUniqueID, subjectUniqueID */
		if (version != 3 || rest.len > 0 ||
		    !der_expect(&element.content, DER_SEQUENCE, &list) ||
		    !read_extensions(c, list.content))
			return false;
	}
	return true;
}

static bool
read_validity(struct certificate *c, struct str validity)
{
	struct der first, last;

	return der_next(&validity, &first) && der_next(&validity, &last) &&
	       der_time(&first, &c->not_before) &&
	       der_time(&last, &c->not_after);
}

/* Version (RFC 5280 section 4.1.2.1): absent means 1, n is written as n - 1. */
static bool
read_version(struct str *tbs, unsigned *version)
{
	struct der outer, number;

	*version = 1;
	if (!der_expect(tbs, TAG_VERSION, &outer))
		return true;
	if (!der_expect(&outer.content, DER_INTEGER, &number) ||
	    number.content.len != 1)
		return false;
	*version = (unsigned char)number.content.ptr[0] + 1U;
	return *version <= 3;
}

static bool
read_tbs(struct certificate *c, struct str tbs)
{
	struct der serial, algorithm, oid, issuer, validity, subject, key;
	unsigned version;

	if (!read_version(&tbs, &version) ||
	    !der_expect(&tbs, DER_INTEGER, &serial) ||
	    !der_expect(&tbs, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&algorithm.content, DER_OID, &oid) ||
	    !der_expect(&tbs, DER_SEQUENCE, &issuer) ||
	    !der_expect(&tbs, DER_SEQUENCE, &validity) ||
	    !der_expect(&tbs, DER_SEQUENCE, &subject) ||
	    !der_expect(&tbs, DER_SEQUENCE, &key))
		return false;
	c->signature_oid = oid.content;
	c->signature_algorithm = algorithm.whole;
	c->issuer = issuer.whole;
	c->subject = subject.whole;
	return read_validity(c, validity.content) && read_key(c, key.content) &&
	       read_optional(c, version, tbs);
}

bool
certificate_read(struct certificate *c, struct str der)
{
	struct der whole, tbs, algorithm, signature;

	*c = (struct certificate){ .key_type = KEY_UNSUPPORTED,
				   .path_length = PATH_UNLIMITED };
	if (!der_expect(&der, DER_SEQUENCE, &whole) || der.len != 0 ||
	    !der_expect(&whole.content, DER_SEQUENCE, &tbs) ||
	    !der_expect(&whole.content, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&whole.content, DER_BIT_STRING, &signature) ||
	    whole.content.len != 0)
		return false;
	c->whole = whole.whole;
	c->tbs = tbs.whole;
	return read_tbs(c, tbs.content) &&
	       str_eq(c->signature_algorithm, algorithm.whole);
}

bool
certificate_has_weak_signature(const struct certificate *c)
{
	/* md2, md5, sha1 with RSA; sha1 with ECDSA. */
	return str_eq(c->signature_oid,
		      OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02")) ||
	       str_eq(c->signature_oid,
		      OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04")) ||
	       str_eq(c->signature_oid,
		      OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05")) ||
	       str_eq(c->signature_oid, OID("\x2a\x86\x48\xce\x3d\x04\x01"));
}

bool
certificate_allows_server(const struct certificate *c)
{
	struct str value = c->extended_key_usage;
	struct der list, purpose;

	if (value.ptr == NULL)
		return true;
	if (!der_expect(&value, DER_SEQUENCE, &list))
		return false;
	while (der_expect(&list.content, DER_OID, &purpose))
		if (str_eq(purpose.content, OID_SERVER_AUTH) ||
		    str_eq(purpose.content, OID_ANY_USAGE))
			return true;
	return false;
}

/* The first byte of a BIT STRING counts its unused bits. */
static bool
allows(const struct certificate *c, unsigned usage)
{
	struct str value = c->key_usage;
	struct der bits;

	if (value.ptr == NULL)
		return true;
	return der_expect(&value, DER_BIT_STRING, &bits) &&
	       bits.content.len >= 2 &&
	       ((unsigned char)bits.content.ptr[1] & usage) != 0;
}

bool
certificate_allows_signing(const struct certificate *c)
{
	return allows(c, DIGITAL_SIGNATURE);
}

bool
certificate_allows_issuing(const struct certificate *c)
{
	return c->is_ca && allows(c, KEY_CERT_SIGN);
}

/* The next dNSName of a list of GeneralNames. */
static bool
next_dns_name(struct str *names, struct str *name)
{
	struct der element;

	while (der_next(names, &element)) {
		if (element.tag != TAG_DNS_NAME)
			continue;
		*name = element.content;
		return true;
	}
	return false;
}

static struct str
general_names(const struct certificate *c)
{
	struct str value = c->subject_alt_name;
	struct der list;

	if (value.ptr == NULL || !der_expect(&value, DER_SEQUENCE, &list))
		return STR("");
	return list.content;
}

bool
certificate_has_dns_name(const struct certificate *c)
{
	struct str names = general_names(c), name;

	return next_dns_name(&names, &name);
}

size_t
certificate_rsa_bits(const struct certificate *c)
{
	size_t bits = c->rsa_modulus.len * 8;

	if (bits == 0)
		return 0;
	for (unsigned top = (unsigned char)c->rsa_modulus.ptr[0];
	     (top & 0x80) == 0 && bits > 0; top <<= 1)
		bits--;
	return bits;
}

void
certificate_put_dns_names(const struct certificate *c, size_t most,
			  struct buf *out)
{
	struct str names = general_names(c), name;
	size_t count = 0;

	while (next_dns_name(&names, &name)) {
		if (count++ == most) {
			buf_put_cstr(out, ", ...");
			return;
		}
		if (count > 1)
			buf_put_cstr(out, ", ");
		name.len = name.len > 80 ? 80 : name.len;
		name_put_printable(name, out);
	}
}

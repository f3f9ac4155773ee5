/*
 * Floor 2, network. The fields of an X.509 certificate (RFC 5280).
 *
 * Reads; it verifies no signature. All views point into the certificate.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include "net/der.h"

enum key_type {
	KEY_UNSUPPORTED,
	KEY_RSA,
	KEY_P256,
	KEY_P384,
	KEY_P521,
};

/* A path length without a limit. */
#define PATH_UNLIMITED 255

struct certificate {
	struct str whole;
	struct str tbs; /* TBSCertificate, with its header: what is signed */
	struct str signature_oid;
	struct str signature_algorithm; /* AlgorithmIdentifier, with header */
	struct str issuer;              /* Name, with its header */
	struct str subject;             /* Name, with its header */
	int64_t not_before, not_after;  /* Unix seconds */
	enum key_type key_type;
	struct str rsa_modulus; /* big-endian, no leading zeros */
	struct str rsa_exponent;
	struct str ec_point;
	/* Contents of extensions; NULL pointers where absent. */
	struct str subject_alt_name;
	struct str extended_key_usage;
	struct str key_usage;
	/* The content of the BOOLEAN that makes it critical, if one does. */
	struct str critical_purposes;
	bool is_ca;                /* basicConstraints */
	unsigned char path_length; /* the same: intermediates below it */
	bool has_name_constraints;
	bool has_unknown_critical; /* another critical extension */
};

/*
 * Reads one DER certificate; false if it is malformed, also if it names two
 * algorithms for its signature (RFC 5280 section 4.1.1.2).
 */
MUST_CHECK bool certificate_read(struct certificate *c, struct str der);

/* Whether it was signed with a hash that is broken: SHA-1, MD5, MD2. */
bool certificate_has_weak_signature(const struct certificate *c);

/*
 * Whether it may be a TLS server's as far as extendedKeyUsage tells: absent,
 * serverAuth or anyExtendedKeyUsage (RFC 5280 section 4.2.1.12).
 */
bool certificate_allows_server(const struct certificate *c);

/*
 * Whether its key may sign (keyUsage absent or with digitalSignature), as
 * ECDHE asks.
 */
bool certificate_allows_signing(const struct certificate *c);

/*
 * Whether it is a certification authority's (keyUsage absent or with
 * keyCertSign).
 */
bool certificate_allows_issuing(const struct certificate *c);

/* Whether subjectAltName holds a dNSName at all. */
bool certificate_has_dns_name(const struct certificate *c);

/* Bits of an RSA modulus. */
size_t certificate_rsa_bits(const struct certificate *c);

/*
 * Appends up to `most` dNSNames, comma-separated, for people. Characters that
 * no host name has become '?'.
 */
void certificate_put_dns_names(const struct certificate *c, size_t most,
			       struct buf *out);

#endif

#include "net/roots.h"

/* BearSSL's structures lack const, but it never writes through them. */
static unsigned char *
unconst(const unsigned char *bytes)
{
	return (unsigned char *)(uintptr_t)bytes;
}

br_x509_trust_anchor
root_anchor(const struct root *root, const unsigned char *bytes)
{
	static const unsigned char EXPONENT[] = { 1, 0, 1 };
	br_x509_trust_anchor anchor = { .flags = BR_X509_TA_CA };
	unsigned char *key = unconst(bytes) + root->name_length;

	anchor.dn.data = unconst(bytes);
	anchor.dn.len = root->name_length;
	if (root->curve == 0) {
		anchor.pkey.key_type = BR_KEYTYPE_RSA;
		anchor.pkey.key.rsa =
			(br_rsa_public_key){ key, root->key_length,
					     unconst(EXPONENT),
					     sizeof(EXPONENT) };
	} else {
		anchor.pkey.key_type = BR_KEYTYPE_EC;
		anchor.pkey.key.ec = (br_ec_public_key){ root->curve, key,
							 root->key_length };
	}
	return anchor;
}

/* Tokens: an endpoint's name, hidden and sealed, for a client to keep. See lbcore/token.h. */
#include <lbcore/token.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/siphash.h"
#include "pool/index.h"

/* The text: the version, then 24 bytes in base64url: expiry, hidden hash, tag. */
#define VERSION '1'
#define BODY_SIZE 24u
#define TEXT_LENGTH (1 + BODY_SIZE / 3 * 4)

_Static_assert(LB_TOKEN_MAX == TEXT_LENGTH + 1, "the public size is that of the text");
_Static_assert(sizeof(lb_token_key) == LB_SIP_KEY_SIZE, "a token's key is one of SipHash");

typedef struct lb_token {
	uint64_t expires, hidden, tag;
} lb_token;

/* What the host's key is used for, each use with a key of its own. */
typedef struct lb_token_keys {
	lb_sip_key seal, hide;
} lb_token_keys;

static uint64_t derive(lb_sip_key root, unsigned char number)
{
	const unsigned char label[] = {'l', 'b', 't', 'o', 'k', 'e', 'n', number};

	return lb_siphash(root, label, sizeof label);
}

static lb_token_keys keys_from(const lb_token_key *key)
{
	lb_sip_key root = lb_sip_key_from(key->bytes);

	return (lb_token_keys){
	    .seal = {derive(root, 1), derive(root, 2)},
	    .hide = {derive(root, 3), derive(root, 4)},
	};
}

static bool keys_set(const lb_token_key *keys, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		lb_sip_key key = lb_sip_key_from(keys[i].bytes);
		if ((key.low | key.high) == 0)
			return false;
	}
	return n > 0;
}

static uint64_t seal(const lb_token_keys *keys, uint64_t expires, uint64_t hash)
{
	unsigned char bytes[17] = {VERSION};

	lb_bytes_store(bytes + 1, expires);
	lb_bytes_store(bytes + 9, hash);
	return lb_siphash(keys->seal, bytes, sizeof bytes);
}

/* What hides a hash. It depends on the tag, so on the hash itself: no two hashes are hidden by the same. */
static uint64_t pad(const lb_token_keys *keys, uint64_t expires, uint64_t tag)
{
	unsigned char bytes[16];

	lb_bytes_store(bytes, tag);
	lb_bytes_store(bytes + 8, expires);
	return lb_siphash(keys->hide, bytes, sizeof bytes);
}

static void write_text(char text[LB_TOKEN_MAX], const lb_token *token)
{
	unsigned char body[BODY_SIZE];

	lb_bytes_store(body, token->expires);
	lb_bytes_store(body + 8, token->hidden);
	lb_bytes_store(body + 16, token->tag);
	text[0] = VERSION;
	lb_base64_write(text + 1, body, BODY_SIZE / 3);
	text[TEXT_LENGTH] = '\0';
}

static bool read_text(lb_token *token, const char *text, size_t length)
{
	unsigned char body[BODY_SIZE];

	if (length != TEXT_LENGTH || text[0] != VERSION || !lb_base64_read(body, text + 1, BODY_SIZE / 3))
		return false;
	*token = (lb_token){
	    .expires = lb_bytes_load(body, 8),
	    .hidden = lb_bytes_load(body + 8, 8),
	    .tag = lb_bytes_load(body + 16, 8),
	};
	return true;
}

/*
 * Whether one of the keys made the token, and the hash in it. Neither branches nor ends sooner by what the keys make of it:
 * time must not tell a forger which bits were right.
 */
static bool open_token(const lb_token *token, const lb_token_key *keys, uint32_t n, uint64_t *hash)
{
	uint64_t opened = 0;

	*hash = 0;
	for (uint32_t i = 0; i < n; i++) {
		lb_token_keys used = keys_from(&keys[i]);
		uint64_t shown = token->hidden ^ pad(&used, token->expires, token->tag);
		uint64_t wrong = token->tag ^ seal(&used, token->expires, shown);
		/* all ones if no bit is wrong, else 0 */
		uint64_t right = ((wrong | (0 - wrong)) >> 63) - 1;
		opened |= right;
		*hash |= shown & right;
	}
	return opened != 0;
}

int lb_token_make(const lb_pool *pool, const lb_token_key *key, lb_endpoint endpoint, lb_time expires,
		  char *text, size_t size)
{
	if (!pool || !key || !text || expires == 0 || !keys_set(key, 1))
		return LB_EINVAL;
	if (size < LB_TOKEN_MAX)
		return LB_ELIMIT;
	uint32_t slot = lb_pool_slot(pool, endpoint, false);
	if (slot == LB_NO_SLOT)
		return LB_ENOENT;
	uint64_t hash = lb_index_hash(pool, slot);
	bool up = lb_get_acquire(&pool->slots[slot].admin) == LB_ADMIN_UP;
	/* still the same endpoint? Else this was half another's */
	if (lb_pool_slot(pool, endpoint, false) == LB_NO_SLOT)
		return LB_ENOENT;
	if (!up)
		return LB_EBUSY;
	lb_token_keys keys = keys_from(key);
	lb_token token = {.expires = expires, .tag = seal(&keys, expires, hash)};
	token.hidden = hash ^ pad(&keys, expires, token.tag);
	write_text(text, &token);
	return LB_OK;
}

static int find(const lb_pool *pool, uint64_t hash, lb_endpoint *endpoint)
{
	for (;;) {
		uint32_t slot = lb_index_find_hash(pool, hash);
		if (slot == LB_NO_SLOT)
			return LB_ENOENT;
		/* as in lb_pool_find: given away meanwhile? Then look again */
		lb_endpoint found = lb_pool_id_of(pool, slot);
		if (lb_pool_slot(pool, found, false) != LB_NO_SLOT && lb_index_hash(pool, slot) == hash) {
			*endpoint = found;
			return LB_OK;
		}
	}
}

int lb_token_read(const lb_pool *pool, const lb_token_key *keys, uint32_t n, const char *text, size_t length,
		  lb_time now, lb_endpoint *endpoint)
{
	lb_token token;
	uint64_t hash;

	if (!pool || !keys || !text || !endpoint || now == 0 || !keys_set(keys, n))
		return LB_EINVAL;
	if (!read_text(&token, text, length) || !open_token(&token, keys, n, &hash))
		return LB_ENOENT;
	if (now >= token.expires)
		return LB_ESTALE;
	return find(pool, hash, endpoint);
}

/* Ed25519 signatures (RFC 8032) for a guest that has no library: small rather than fast. What
 * depends on the secret takes the same time and touches the same memory whatever the secret is. */
#ifndef ED25519_H
#define ED25519_H

#include <stdint.h>
#include <string.h>

#define ED25519_KEY_BYTES       32
#define ED25519_SIGNATURE_BYTES 64

/* ---- SHA-512 (FIPS 180-4) ---- */

struct sha512 {
    uint64_t state[8], size_bytes;
    uint8_t block[128];
};

static const uint64_t sha512_round[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

static inline uint64_t sha512_rotate(uint64_t x, unsigned n)
{
    return x >> n | x << (64 - n);
}

static void sha512_schedule(const uint8_t block[128], uint64_t w[80])
{
    for (int t = 0; t < 16; t++) {
        w[t] = 0;
        for (int k = 0; k < 8; k++) w[t] = w[t] << 8 | block[8 * t + k];
    }
    for (int t = 16; t < 80; t++) {
        uint64_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + w[t - 7] + (sha512_rotate(a, 1) ^ sha512_rotate(a, 8) ^ a >> 7) +
               (sha512_rotate(b, 19) ^ sha512_rotate(b, 61) ^ b >> 6);
    }
}

static void sha512_block(struct sha512 *h)
{
    uint64_t w[80], v[8];
    sha512_schedule(h->block, w);
    memcpy(v, h->state, sizeof v);
    for (int t = 0; t < 80; t++) {
        uint64_t e = v[4], a = v[0];
        uint64_t one = v[7] + (sha512_rotate(e, 14) ^ sha512_rotate(e, 18) ^ sha512_rotate(e, 41)) +
                       ((e & v[5]) ^ (~e & v[6])) + sha512_round[t] + w[t];
        uint64_t two = (sha512_rotate(a, 28) ^ sha512_rotate(a, 34) ^ sha512_rotate(a, 39)) +
                       ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int k = 0; k < 8; k++) h->state[k] += v[k];
}

static void sha512_begin(struct sha512 *h)
{
    static const uint64_t start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                      0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                      0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    memset(h, 0, sizeof *h);
    memcpy(h->state, start, sizeof start);
}

static void sha512_add(struct sha512 *h, const uint8_t *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        h->block[h->size_bytes++ % 128] = bytes[i];
        if (h->size_bytes % 128 == 0) sha512_block(h);
    }
}

static void sha512_end(struct sha512 *h, uint8_t digest[64])
{
    static const uint8_t one = 0x80, zero = 0;
    uint64_t bits = h->size_bytes * 8;
    sha512_add(h, &one, 1);
    while (h->size_bytes % 128 != 120) sha512_add(h, &zero, 1);
    for (int k = 0; k < 8; k++) {
        uint8_t byte = (uint8_t)(bits >> (56 - 8 * k));
        sha512_add(h, &byte, 1);
    }
    for (int k = 0; k < 64; k++) digest[k] = (uint8_t)(h->state[k / 8] >> (56 - 8 * (k % 8)));
}

/* ---- numbers modulo 2^255 - 19: limbs of 26 and 25 bits in turn ---- */

struct field {
    int64_t limb[10];
};

static inline int field_bits(int i)
{
    return i % 2 ? 25 : 26;
}

/* Each limb into its width; what leaves the top is 19 times as much at the bottom. */
static void field_carry(struct field *f)
{
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 10; i++) {
            int64_t carry = f->limb[i] >> field_bits(i);
            f->limb[i] -= carry * ((int64_t)1 << field_bits(i));
            f->limb[(i + 1) % 10] += i == 9 ? 19 * carry : carry;
        }
    }
}

static struct field field_add(const struct field *a, const struct field *b)
{
    struct field sum;
    for (int i = 0; i < 10; i++) sum.limb[i] = a->limb[i] + b->limb[i];
    field_carry(&sum);
    return sum;
}

static struct field field_subtract(const struct field *a, const struct field *b)
{
    struct field difference;
    for (int i = 0; i < 10; i++) difference.limb[i] = a->limb[i] - b->limb[i];
    field_carry(&difference);
    return difference;
}

/* Two odd limbs stand one bit lower than their numbers say. */
static struct field field_multiply(const struct field *a, const struct field *b)
{
    struct field product = {{0}};
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 10; j++) {
            int64_t factor = (i % 2 && j % 2 ? 2 : 1) * (i + j > 9 ? 19 : 1);
            product.limb[(i + j) % 10] += a->limb[i] * (b->limb[j] * factor);
        }
    }
    field_carry(&product);
    return product;
}

static struct field field_read(const uint8_t bytes[32])
{
    struct field f;
    int at = 0;
    for (int i = 0; i < 10; at += field_bits(i), i++) {
        f.limb[i] = 0;
        for (int k = 0; k < field_bits(i); k++)
            f.limb[i] |= (int64_t)(bytes[(at + k) / 8] >> ((at + k) % 8) & 1) << k;
    }
    return f;
}

/* The one representation between 0 and the modulus. */
static void field_write(struct field f, uint8_t bytes[32])
{
    field_carry(&f);
    field_carry(&f);
    /* Is f + 19 at least 2^255? Then f is at least the modulus. */
    int64_t carry = 19;
    for (int i = 0; i < 10; i++) carry = (f.limb[i] + carry) >> field_bits(i);
    f.limb[0] += 19 * carry;
    int at = 0;
    memset(bytes, 0, 32);
    for (int i = 0; i < 10; at += field_bits(i), i++) {
        int64_t over = f.limb[i] >> field_bits(i);
        if (i < 9) f.limb[i + 1] += over;
        for (int k = 0; k < field_bits(i); k++)
            bytes[(at + k) / 8] |= (uint8_t)((f.limb[i] >> k & 1) << ((at + k) % 8));
    }
}

/* To the power of the modulus less two, whose bits are all set but the second and the fourth. */
static struct field field_invert(const struct field *f)
{
    struct field power = *f;
    for (int bit = 253; bit >= 0; bit--) {
        power = field_multiply(&power, &power);
        if (bit != 2 && bit != 4) power = field_multiply(&power, f);
    }
    return power;
}

/* ---- points of the curve: x = X/Z, y = Y/Z, T = XY/Z ---- */

struct point {
    struct field x, y, z, t;
};

static struct point point_add(const struct point *p, const struct point *q)
{
    static const uint8_t twice_d[32] = {0x59, 0xf1, 0xb2, 0x26, 0x94, 0x9b, 0xd6, 0xeb,
                                        0x56, 0xb1, 0x83, 0x82, 0x9a, 0x14, 0xe0, 0x00,
                                        0x30, 0xd1, 0xf3, 0xee, 0xf2, 0x80, 0x8e, 0x19,
                                        0xe7, 0xfc, 0xdf, 0x56, 0xdc, 0xd9, 0x06, 0x24};
    struct field d = field_read(twice_d), left, right, a, b, c, e, f, g, h;
    left = field_subtract(&p->y, &p->x);
    right = field_subtract(&q->y, &q->x);
    a = field_multiply(&left, &right);
    left = field_add(&p->y, &p->x);
    right = field_add(&q->y, &q->x);
    b = field_multiply(&left, &right);
    c = field_multiply(&p->t, &q->t);
    c = field_multiply(&c, &d);
    d = field_multiply(&p->z, &q->z);
    d = field_add(&d, &d);
    e = field_subtract(&b, &a);
    f = field_subtract(&d, &c);
    g = field_add(&d, &c);
    h = field_add(&b, &a);
    return (struct point){field_multiply(&e, &f), field_multiply(&g, &h), field_multiply(&f, &g),
                          field_multiply(&e, &h)};
}

/* `scalar` times the base point; both sums are made, whichever is kept. */
static struct point point_of(const uint8_t scalar[32])
{
    static const uint8_t base_x[32] = {0x1a, 0xd5, 0x25, 0x8f, 0x60, 0x2d, 0x56, 0xc9,
                                       0xb2, 0xa7, 0x25, 0x95, 0x60, 0xc7, 0x2c, 0x69,
                                       0x5c, 0xdc, 0xd6, 0xfd, 0x31, 0xe2, 0xa4, 0xc0,
                                       0xfe, 0x53, 0x6e, 0xcd, 0xd3, 0x36, 0x69, 0x21};
    uint8_t base_y[32];
    memset(base_y, 0x66, sizeof base_y);
    base_y[0] = 0x58;
    struct point base = {field_read(base_x), field_read(base_y), {{1}}, {{0}}};
    base.t = field_multiply(&base.x, &base.y);
    struct point sum = {{{0}}, {{1}}, {{1}}, {{0}}};
    for (int bit = 255; bit >= 0; bit--) {
        sum = point_add(&sum, &sum);
        struct point more = point_add(&sum, &base);
        int64_t mask = -(int64_t)(scalar[bit / 8] >> (bit % 8) & 1);
        int64_t *to = sum.x.limb;
        const int64_t *from = more.x.limb;
        for (size_t i = 0; i < sizeof sum / sizeof *to; i++) to[i] ^= (to[i] ^ from[i]) & mask;
    }
    return sum;
}

static void point_write(const struct point *p, uint8_t bytes[32])
{
    struct field inverse = field_invert(&p->z), x, y;
    uint8_t x_bytes[32];
    x = field_multiply(&p->x, &inverse);
    y = field_multiply(&p->y, &inverse);
    field_write(x, x_bytes);
    field_write(y, bytes);
    bytes[31] |= (uint8_t)((x_bytes[0] & 1) << 7);
}

/* ---- numbers modulo the order of the base point ---- */

struct scalar {
    uint64_t word[4];
};

/* a + b, both below the order; `bit` 0 leaves a. */
static struct scalar scalar_add(struct scalar a, struct scalar b, uint64_t bit)
{
    static const uint64_t order[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0,
                                      0x1000000000000000};
    struct scalar less;
    uint64_t carry = 0, borrow = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t addend = b.word[i] & -bit, sum = a.word[i] + addend;
        uint64_t with = sum + carry;
        carry = (uint64_t)(sum < addend) | (uint64_t)(with < sum);
        a.word[i] = with;
    }
    for (int i = 0; i < 4; i++) {
        uint64_t part = a.word[i] - order[i];
        less.word[i] = part - borrow;
        borrow = (uint64_t)(a.word[i] < order[i]) | (uint64_t)(part < borrow);
    }
    for (int i = 0; i < 4; i++) a.word[i] ^= (a.word[i] ^ less.word[i]) & (borrow - 1);
    return a;
}

/* bytes * by + add, of any number of bytes, the lowest first. */
static struct scalar scalar_of(const uint8_t *bytes, int size_bytes, struct scalar by,
                               struct scalar add)
{
    struct scalar sum = {{0}};
    for (int bit = 8 * size_bytes - 1; bit >= 0; bit--) {
        sum = scalar_add(sum, sum, 1);
        sum = scalar_add(sum, by, bytes[bit / 8] >> (bit % 8) & 1);
    }
    return scalar_add(sum, add, 1);
}

static void scalar_write(const struct scalar *s, uint8_t bytes[32])
{
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)(s->word[i / 8] >> (8 * (i % 8)));
}

/* ---- signing ---- */

static const struct scalar scalar_zero = {{0}}, scalar_one = {{1}};

/* The secret scalar, and what makes signatures differ. */
static void ed25519_expand(const uint8_t seed[32], uint8_t secret[32], uint8_t prefix[32])
{
    struct sha512 h;
    uint8_t digest[64];
    sha512_begin(&h);
    sha512_add(&h, seed, 32);
    sha512_end(&h, digest);
    digest[0] &= 0xf8;
    digest[31] = (uint8_t)((digest[31] & 0x7f) | 0x40);
    memcpy(secret, digest, 32);
    memcpy(prefix, digest + 32, 32);
}

static void ed25519_public_key(const uint8_t seed[32], uint8_t key[ED25519_KEY_BYTES])
{
    uint8_t secret[32], prefix[32];
    ed25519_expand(seed, secret, prefix);
    struct point p = point_of(secret);
    point_write(&p, key);
}

static struct scalar ed25519_hash(const uint8_t *first, size_t first_bytes, const uint8_t *key,
                                  const uint8_t *message, size_t size_bytes)
{
    struct sha512 h;
    uint8_t digest[64];
    sha512_begin(&h);
    sha512_add(&h, first, first_bytes);
    if (key) sha512_add(&h, key, ED25519_KEY_BYTES);
    sha512_add(&h, message, size_bytes);
    sha512_end(&h, digest);
    return scalar_of(digest, 64, scalar_one, scalar_zero);
}

/* `key` is that of `seed`. */
static void ed25519_sign(const uint8_t seed[32], const uint8_t key[ED25519_KEY_BYTES],
                         const uint8_t *message, size_t size_bytes,
                         uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    uint8_t secret[32], prefix[32], nonce[32];
    ed25519_expand(seed, secret, prefix);
    struct scalar r = ed25519_hash(prefix, 32, NULL, message, size_bytes);
    scalar_write(&r, nonce);
    struct point p = point_of(nonce);
    point_write(&p, signature);
    struct scalar k = ed25519_hash(signature, 32, key, message, size_bytes);
    struct scalar s = scalar_of(secret, 32, k, r);
    scalar_write(&s, signature + 32);
}

#endif

// SHA-1 for the WebSocket upgrade and HMAC-SHA-256 for tokens, so that the floor needs no library.
// FIPS 180-4 and RFC 2104. A yardstick's digests: nothing here is hardened against timing.
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t rotate_left(uint32_t x, int n) { return x << n | x >> (32 - n); }
static inline uint32_t rotate_right(uint32_t x, int n) { return x >> n | x << (32 - n); }

// Both digests work on blocks of 64 bytes of big-endian words, padded in the same way.
typedef void digest_block(uint32_t *state, const uint32_t *words);

static inline void digest_bytes(
    digest_block *block, uint32_t *state, uint64_t already, const uint8_t *bytes, size_t length) {
    uint64_t bits = (already + length) * 8;
    uint8_t tail[128] = {0};
    size_t whole = length / 64, rest = length % 64, tail_blocks = rest < 56 ? 1 : 2;
    memcpy(tail, bytes + whole * 64, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++) tail[tail_blocks * 64 - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
    for (size_t i = 0; i < whole + tail_blocks; i++) {
        const uint8_t *from = i < whole ? bytes + i * 64 : tail + (i - whole) * 64;
        uint32_t words[16];
        for (int k = 0; k < 16; k++, from += 4) {
            words[k] = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
        }
        block(state, words);
    }
}

static inline void store_words(const uint32_t *words, int count, uint8_t *out) {
    for (int i = 0; i < count * 4; i++) out[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
}

static inline void sha1_block(uint32_t *state, const uint32_t *words) {
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    memcpy(w, words, 64);
    for (int i = 16; i < 80; i++) w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999
            : i < 40        ? (b ^ c ^ d) + 0x6ed9eba1
            : i < 60        ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                            : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotate_left(a, 5) + f + e + w[i];
        e = d, d = c, c = rotate_left(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static inline void sha1(const void *bytes, size_t length, uint8_t out[20]) {
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    digest_bytes(sha1_block, state, 0, bytes, length);
    store_words(state, 5, out);
}

static inline void sha256_block(uint32_t *state, const uint32_t *words) {
    static const uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };
    uint32_t w[64], s[8];
    memcpy(w, words, 64);
    memcpy(s, state, 32);
    for (int i = 16; i < 64; i++) {
        uint32_t low = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t high = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t one = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25);
        uint32_t first = s[7] + one + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint32_t zero = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22);
        uint32_t second = zero + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 28);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static inline void hmac_sha256(const char *key, const void *bytes, size_t length, uint8_t out[32]) {
    static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    // Keys are the benchmark's own, and shorter than a block.
    uint32_t inner[8], outer[8];
    uint8_t digest[32];
    for (int pass = 0; pass < 2; pass++) {
        uint32_t words[16] = {0}, *state = pass ? outer : inner;
        size_t key_length = strlen(key);
        for (size_t i = 0; i < 64; i++) {
            uint8_t byte = (i < key_length ? (uint8_t)key[i] : 0) ^ (pass ? 0x5c : 0x36);
            words[i / 4] |= (uint32_t)byte << (24 - 8 * (i % 4));
        }
        memcpy(state, initial, 32);
        sha256_block(state, words);
    }
    digest_bytes(sha256_block, inner, 64, bytes, length);
    store_words(inner, 8, digest);
    digest_bytes(sha256_block, outer, 64, digest, 32);
    store_words(outer, 8, out);
}

#endif

#include "sha256/sha256.h"
#include "sha256/sha256Machine.h"

const u32 SHA256_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotate(u32 word, int bits)
{
    return word >> bits | word << (32 - bits);
}

static u32 big_endian(const u8 *at)
{
    return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
}

static void schedule(u32 w[64], const u8 *block)
{
    for (int i = 0; i < 16; i++)
        w[i] = big_endian(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        u32 a = w[i - 15], b = w[i - 2];
        u32 low = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
        u32 high = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
}

static void add_block(u32 state[8], const u8 *block)
{
    u32 w[64], s[8];

    schedule(w, block);
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 mixed = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        u32 chosen = (s[4] & s[5]) ^ (~s[4] & s[6]);
        u32 first = s[7] + mixed + chosen + SHA256_K[i] + w[i];
        u32 other = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        u32 majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + first;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = first + other + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void add_blocks(u32 state[8], const u8 *blocks, size count)
{
    if (sha256_add_fast(state, blocks, count))
        return;
    for (; count > 0; count--, blocks += 64)
        add_block(state, blocks);
}

void sha256_start(struct sha256 *sum)
{
    static const u32 first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    for (int i = 0; i < 8; i++)
        sum->state[i] = first[i];
    sum->length = 0;
}

void sha256_add(struct sha256 *sum, const u8 *bytes, size count)
{
    size held = sum->length % 64;

    sum->length += count;
    if (held > 0) {
        size part = count < 64 - held ? count : 64 - held;
        memcpy(sum->block + held, bytes, part);
        if (held + part < 64)
            return;
        add_blocks(sum->state, sum->block, 1);
        bytes += part, count -= part;
    }
    add_blocks(sum->state, bytes, count / 64);
    memcpy(sum->block, bytes + count / 64 * 64, count % 64);
}

void sha256_finish(struct sha256 *sum, u8 digest[32])
{
    static const u8 padding[64] = {0x80};
    u64 bits = sum->length * 8;
    u8 length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (u8)(bits >> (56 - 8 * i));
    sha256_add(sum, padding, 1 + (119 - sum->length % 64) % 64);
    sha256_add(sum, length, 8);
    for (int i = 0; i < 32; i++)
        digest[i] = (u8)(sum->state[i / 4] >> (24 - 8 * (i % 4)));
}

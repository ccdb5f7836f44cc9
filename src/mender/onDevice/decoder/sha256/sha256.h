/* SHA-256, FIPS 180-4. */
#ifndef SHA256_H
#define SHA256_H

#include "types.h"

struct sha256 {
    u32 state[8];
    u64 length; /* bytes */
    u8 block[64];
};

void sha256_start(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const u8 *bytes, size count);
void sha256_finish(struct sha256 *sum, u8 digest[32]);

#endif

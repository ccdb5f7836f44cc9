#include "sha256/sha256Machine.h"
#include "system.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

static int has_instructions(void)
{
    u32 a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The message schedule: four words at a time, from the sixteen before them. */
__attribute__((target("sha,sse4.1"))) static void schedule_fast(__m128i w[16], const u8 *block)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);

    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), big_endian);
    for (int i = 4; i < 16; i++) {
        __m128i low = _mm_sha256msg1_epu32(w[i - 4], w[i - 3]);
        low = _mm_add_epi32(low, _mm_alignr_epi8(w[i - 1], w[i - 2], 4));
        w[i] = _mm_sha256msg2_epu32(low, w[i - 1]);
    }
}

/* The instructions keep the words a b e f in one register, and c d g h in another. */
__attribute__((target("sha,sse4.1"))) static void add_fast(u32 state[8], const u8 *blocks, size count)
{
    __m128i *words = (__m128i *)(void *)state;
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, dcba, 0xf0);
    __m128i w[16];

    for (; count > 0; count--, blocks += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh;
        schedule_fast(w, blocks);
        for (int i = 0; i < 16; i++) {
            const void *constants = SHA256_K + 4 * i;
            __m128i sum = _mm_add_epi32(w[i], _mm_loadu_si128((const __m128i *)constants));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#elif defined(__aarch64__)
#include <arm_neon.h>

enum { CAPABILITIES = 16, HAS_SHA256 = 1 << 6 };

static int has_instructions(void)
{
    return (system_says(CAPABILITIES) & HAS_SHA256) != 0;
}

__attribute__((target("sha2"))) static void add_fast(u32 state[8], const u8 *blocks, size count)
{
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4), w[4];

    for (; count > 0; count--, blocks += 64) {
        uint32x4_t abcd_before = abcd, efgh_before = efgh;
        for (int i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(blocks + 16 * i)));
        for (int i = 0; i < 16; i++) {
            uint32x4_t sum = vaddq_u32(w[i & 3], vld1q_u32(SHA256_K + 4 * i)), old = abcd;
            uint32x4_t next = vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]);
            w[i & 3] = vsha256su1q_u32(next, w[(i + 2) & 3], w[(i + 3) & 3]);
            abcd = vsha256hq_u32(abcd, efgh, sum);
            efgh = vsha256h2q_u32(efgh, old, sum);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

#else
static int has_instructions(void)
{
    return 0;
}

static void add_fast(u32 state[8], const u8 *blocks, size count)
{
    (void)state, (void)blocks, (void)count;
}
#endif

int sha256_add_fast(u32 state[8], const u8 *blocks, size count)
{
    static int is_known, has;

    if (!is_known)
        has = has_instructions();
    is_known = 1;
    if (has)
        add_fast(state, blocks, count);
    return has;
}

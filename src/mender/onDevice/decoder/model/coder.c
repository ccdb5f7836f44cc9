#include "model/coder.h"

enum { COUNT_BITS = 10, COUNT_MASK = 1023, HIGHEST = 0x3fffff, COUNT_LIMIT = 255 };
enum { LEAST = 32, MOST = 65536 - LEAST, FIRST_WEIGHT = 1 << 14, MOST_WEIGHT = 1 << 20 };
enum { MOST_LOGIT = 2047 };

/* 65536 / (1 + e^-x) for x from -8 to 8 in steps of a half. */
static const u32 LOGISTIC[33] = {
    22,    36,    60,    98,    162,   267,   439,   720,   1179,  1921,  3108,
    4971,  7812,  11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565,
    62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
};

/* The probability, in 1 / 65536, whose logit is `logit` / 256: -MOST_LOGIT to MOST_LOGIT. */
static u32 squash(i32 logit)
{
    u32 place = (u32)(logit + 2048);
    u32 weight = place & 127;
    return (LOGISTIC[place >> 7] * (128 - weight) + LOGISTIC[(place >> 7) + 1] * weight) >> 7;
}

/* A division, which some of the machines have no instruction for. The quotient is below 2^17. */
static u32 divide(u32 dividend, u32 divisor)
{
    u32 quotient = 0;

    for (int bit = 16; bit >= 0; bit--) {
        if (dividend >> bit < divisor)
            continue;
        dividend -= divisor << bit;
        quotient |= 1u << bit;
    }
    return quotient;
}

static void fill_tables(struct coder *coder)
{
    u32 next = 0;

    for (i32 logit = -MOST_LOGIT; logit <= MOST_LOGIT; logit++)
        while (next <= squash(logit) >> 4)
            coder->stretched[next++] = (i16)logit;
    while (next < 4096)
        coder->stretched[next++] = MOST_LOGIT;
    for (u32 seen = 0; seen < 256; seen++)
        coder->rates[seen] = divide(65536, 2 * seen + 3);
}

void coder_start(struct coder *coder, struct input *input, counter *slots, int bits)
{
    coder->input = input;
    coder->range = 0xffffffff;
    coder->code = 0;
    coder->slots = slots;
    coder->mask = (1u << bits) - 1;
    fill_tables(coder);
    counters_reset(slots, (size)1 << bits);
    if (input_byte(input) != 0)
        fail("the patch is damaged: its coded part begins wrongly");
    for (int i = 0; i < 4; i++)
        coder->code = coder->code << 8 | input_byte(input);
}

int coder_is_done(const struct coder *coder)
{
    return coder->code == 0;
}

void counters_reset(counter *counters, size count)
{
    for (size at = 0; at < count; at++)
        counters[at] = NEW_COUNTER;
}

void weights_reset(struct mixer *mixer, int rows)
{
    for (int at = 0; at < rows * mixer->inputs; at++)
        mixer->weights[at] = FIRST_WEIGHT;
}

/* Decodes a bit that is 1 with `probability` / 65536. */
static int decode_bit(struct coder *coder, u32 probability)
{
    u32 bound = (coder->range >> 16) * probability;
    int bit = coder->code < bound;

    if (bit) {
        coder->range = bound;
    } else {
        coder->code -= bound;
        coder->range -= bound;
    }
    while (coder->range < 1u << 24) {
        coder->range <<= 8;
        coder->code = coder->code << 8 | input_byte(coder->input);
    }
    return bit;
}

static void count(struct coder *coder, counter *counter, int bit, u32 limit)
{
    u32 seen = *counter & COUNT_MASK;
    u32 probability = *counter >> COUNT_BITS;
    u32 rate = coder->rates[seen];

    if (bit) {
        u32 rest = HIGHEST - probability;
        probability = HIGHEST - (rest - ((rest >> 6) * rate >> 9));
    } else {
        probability -= (probability >> 6) * rate >> 9;
    }
    *counter = probability << COUNT_BITS | (seen < limit ? seen + 1 : seen);
}

int decode_half(struct coder *coder)
{
    return decode_bit(coder, 1 << 15);
}

int decode_counted(struct coder *coder, counter *counter)
{
    u32 probability = *counter >> 16;

    if (probability < LEAST)
        probability = LEAST;
    if (probability > MOST)
        probability = MOST;
    int bit = decode_bit(coder, probability);
    count(coder, counter, bit, COUNT_LIMIT);
    return bit;
}

/* Moves the weights towards the inputs that were right, and lets the counters count the bit. */
static void learn(struct coder *coder, struct mixer *mixer, i32 *weights, counter **inputs,
                  const i32 *logits, i32 error, int bit)
{
    for (int i = 0; i < mixer->inputs; i++) {
        i32 weight = weights[i] + ((logits[i] * error + 0x8000) >> 16);
        weights[i] = weight > MOST_WEIGHT ? MOST_WEIGHT : weight < -MOST_WEIGHT ? -MOST_WEIGHT : weight;
        count(coder, inputs[i], bit, mixer->limit);
    }
}

int decode_mixed(struct coder *coder, struct mixer *mixer, u32 row, counter **inputs)
{
    i32 *weights = mixer->weights + row * (u32)mixer->inputs;
    i32 logits[MOST_INPUTS];
    i64 sum = 0;

    for (int i = 0; i < mixer->inputs; i++) {
        logits[i] = coder->stretched[*inputs[i] >> 20];
        sum += (i64)weights[i] * logits[i];
    }
    sum >>= 16;
    u32 probability = squash(sum > MOST_LOGIT ? MOST_LOGIT : sum < -MOST_LOGIT ? -MOST_LOGIT : (i32)sum);
    int bit = decode_bit(coder, probability);
    i32 error = (((bit << 16) - (i32)probability) * mixer->rate) >> 4;
    learn(coder, mixer, weights, inputs, logits, error, bit);
    return bit;
}

u32 hash(u32 a, u32 b)
{
    u32 mixed = a * 0x9e3779b1u ^ b * 0x85ebca6bu;

    mixed ^= mixed >> 15;
    mixed *= 0xc2b2ae35u;
    return mixed ^ mixed >> 13;
}

#include "model/model.h"

#define NODE_STEP 0x2545f491u

void model_start(struct model *model, int match_bits)
{
    model->match_shift = 32 - match_bits;
    model->history = model->quiet = 0;
    model->match_at = model->match_length = 0;
    memset(model->last, 0, sizeof model->last);
    memset(model->near, 0, sizeof(u32) << match_bits);
    memset(model->far, 0, sizeof(u32) << match_bits);
    model->flags = (struct mixer){FLAG_INPUTS, 10, 127, model->flag_weights};
    model->differences = (struct mixer){DIFFERENCE_INPUTS, 10, 255, model->difference_weights};
    model->literals = (struct mixer){LITERAL_INPUTS, 8, 255, model->literal_weights};
    weights_reset(&model->flags, FLAG_ROWS);
    weights_reset(&model->differences, DIFFERENCE_ROWS);
    weights_reset(&model->literals, LITERAL_ROWS);
    counters_reset(model->match_counters, 2 * MATCH_CLASSES);
    counters_reset(model->is_right[0], sizeof model->is_right / sizeof(counter));
    number_start(&model->match_runs);
}

void differences_start(struct model *model)
{
    model->history = 1;
    model->quiet = 0;
}

static u32 little_endian(u32 a, u32 b, u32 c, u32 d)
{
    return a | b << 8 | c << 16 | d << 24;
}

int decode_differs(struct model *model, const u8 *from)
{
    struct coder *coder = model->coder;
    u32 history = model->history;
    u32 quiet = model->quiet < 63 ? model->quiet : 63;
    u32 contexts[FLAG_INPUTS] = {
        hash(history & 0xffff, 1),
        hash(little_endian(from[0], from[-1], from[-2], 0), 0x100 | (history & 15)),
        hash(little_endian(from[0], from[-1], from[-2], from[-3]), 0x200 | (history & 3) << 16 | from[1]),
        hash(little_endian(from[0], from[1], from[2], from[3]), 0x300 | (history & 15)),
        hash(model->last[0] | quiet << 8, 0x400 | (history & 15)),
    };
    counter *inputs[FLAG_INPUTS];

    for (int i = 0; i < FLAG_INPUTS; i++)
        inputs[i] = slot_of(coder, contexts[i]);
    int differs = decode_mixed(coder, &model->flags, history & 255, inputs);
    model->history = history << 1 | (u32)differs;
    model->quiet = differs ? 0 : model->quiet + 1;
    return differs;
}

/* How many bytes just before this one differ, at most 3. Bit 0 of the history is this byte. */
static u32 run_before(u32 history)
{
    return !(history & 2) ? 0 : !(history & 4) ? 1 : !(history & 8) ? 2 : 3;
}

/*
 * What the match says of the next bit: the class of its length and the bit, or 0 if it has been wrong in this
 * byte. `node` is 1 and the bits so far, `left` is how many bits are missing.
 */
static u32 match_says(u32 length, u32 predicted, u32 node, int left)
{
    if (length == 0 || (predicted | 256) >> left != node)
        return 0;
    return length << 1 | (predicted >> (left - 1) & 1);
}

/*
 * A byte that BYTE_CONTEXTS contexts predict, each with a group of counters for either half of it,
 * and, if the mixer has one more input, a match that `predicted` follows.
 * `length` is the class of its length.
 */
static u8 decode_byte(struct model *model, struct mixer *mixer, const u32 *contexts, u32 row, u32 length,
                      u32 predicted)
{
    struct coder *coder = model->coder;
    counter *groups[BYTE_CONTEXTS], *inputs[MOST_INPUTS];
    u32 node = 1, half = 1;

    for (int left = 8; left > 0; left--) {
        u32 said = match_says(length, predicted, node, left);
        if (left == 4)
            half = 1;
        for (int i = 0; i < BYTE_CONTEXTS; i++) {
            if (half == 1)
                groups[i] = group_of(coder, contexts[i] + node * NODE_STEP);
            inputs[i] = groups[i] + half;
        }
        inputs[BYTE_CONTEXTS] = &model->match_counters[said];
        u32 bit = (u32)decode_mixed(coder, mixer, row + (said >> 1 << 8) + node, inputs);
        node = node << 1 | bit;
        half = half << 1 | bit;
    }
    return (u8)node;
}

u8 decode_difference(struct model *model, const u8 *from)
{
    u8 *last = model->last;
    u32 run = run_before(model->history);
    u32 adjacent = run > 0 ? last[0] : 0;
    u32 recent = model->history >> 1 & 7;
    u32 contexts[BYTE_CONTEXTS] = {
        hash(adjacent, 0x500 | run),
        hash(from[0], 0x600 | run),
        hash(last[0] | (u32)last[1] << 8, 0x700 | recent),
        hash(little_endian(from[0], from[-1], 0, 0), 0x800 | run),
        hash(little_endian(last[0], last[1], last[2], 0), 0x900 | recent),
        hash(little_endian(from[0], from[-1], from[-2], byte_before(model->output, 1)), 0xa00 | run),
        hash(little_endian(from[1], from[0], from[2], adjacent), 0xb00 | run),
    };
    u8 difference = decode_byte(model, &model->differences, contexts, run << 8, 0, 0);

    last[2] = last[1], last[1] = last[0], last[0] = difference;
    return (u8)(from[0] + difference);
}

/* How many of the last bytes equal those before `place` of the residue, at most LONGEST. */
static u32 equal_before(const struct model *model, u64 place)
{
    u32 length = 0;

    while (length < LONGEST && residue_has(model->residue, place - length - 1) &&
           residue_byte(model->residue, place - length - 1) == byte_before(model->output, length + 1))
        length++;
    return length;
}

/* Takes the place that `low` is the end of if at least `least` bytes before it are equal. */
static void look(struct model *model, u32 low, u32 least)
{
    u64 now = model->residue->at;
    u64 place = now - (u32)((u32)now - low);

    if (!residue_has(model->residue, place))
        return;
    u32 length = equal_before(model, place);
    if (length < least)
        return;
    model->match_at = place;
    model->match_length = length;
}

/* The four bytes from `distance` before the next one on backwards. */
static u32 word_before(const struct output *output, u32 distance)
{
    return little_endian(byte_before(output, distance), byte_before(output, distance + 1),
                         byte_before(output, distance + 2), byte_before(output, distance + 3));
}

/*
 * If there is no match, takes the place that the last bytes had before, or else goes on with the old
 * one. A place that the last twelve bytes had replaces a shorter match. Remembers the place of the
 * next literal.
 */
static void find_match(struct model *model)
{
    const struct output *output = model->output;
    u32 first = word_before(output, 1), second = word_before(output, 5);
    u32 *near = &model->near[hash(first, second & 0xffff) >> model->match_shift];
    u32 *far = &model->far[hash(hash(first, second), word_before(output, 9)) >> model->match_shift];

    if (model->match_length < SHORT)
        look(model, *far, SHORT);
    if (model->match_length == 0)
        look(model, *near, SHORTEST);
    if (model->match_length == 0 && residue_has(model->residue, model->match_at))
        model->match_length = 1;
    *near = *far = (u32)model->residue->at;
}

void literals_start(struct model *model)
{
    model->match_length = 0;
    find_match(model);
}

static void set_literal_contexts(const struct output *output, u32 expected, u32 *contexts)
{
    u32 b1 = byte_before(output, 1), b2 = byte_before(output, 2), b3 = byte_before(output, 3);
    u32 b4 = byte_before(output, 4), b5 = byte_before(output, 5), b6 = byte_before(output, 6);
    u32 four = little_endian(b1, b2, b3, b4);

    contexts[0] = hash(0, 0xc00);
    contexts[1] = hash(b1, 0xd00);
    contexts[2] = hash(b1 | b2 << 8, 0xe00);
    contexts[3] = hash(little_endian(b1, b2, b3, 0), 0xf00);
    contexts[4] = hash(four, 0x1000);
    contexts[5] = hash(four, 0x10000000 | b5 << 8 | b6);
    contexts[6] = hash(expected | b1 << 8, 0x1100);
}

static u32 class_of(u32 length)
{
    return length < 8 ? length : 6 + (length >> 2);
}

/* A literal, where the last copy would have `expected`, and the match `predicted`. */
static u8 decode_literal_byte(struct model *model, u32 expected, u8 predicted)
{
    u32 contexts[BYTE_CONTEXTS], length = model->match_length;

    if (length >= SHORT && decode_counted(model->coder, &model->is_right[length - SHORT][predicted]))
        return predicted;
    set_literal_contexts(model->output, expected, contexts);
    return decode_byte(model, &model->literals, contexts, 0, length < SHORT ? class_of(length) : 0, predicted);
}

static void decode_literal(struct model *model, u32 expected)
{
    u8 predicted = residue_byte(model->residue, model->match_at);
    u8 byte = decode_literal_byte(model, expected, predicted);

    residue_add(model->residue, byte);
    output_byte(model->output, byte);
    model->match_at++;
    if (predicted != byte)
        model->match_length = 0;
    else if (model->match_length > 0 && model->match_length < LONGEST)
        model->match_length++;
    find_match(model);
}

/* Follows a long match as far as it is right. Returns how many literals that are. */
static u64 decode_match(struct model *model, u64 count)
{
    struct residue *residue = model->residue;
    u64 run = decode_number(model->coder, &model->match_runs);

    if (run > count)
        fail("the patch is damaged: a match is longer than its literals");
    for (u64 done = 0; done < run; done++) {
        u8 byte = residue_byte(residue, model->match_at++);
        residue_add(residue, byte);
        output_byte(model->output, byte);
    }
    model->match_length = 0;
    return run;
}

u64 decode_literals(struct model *model, u32 expected, u64 count)
{
    if (model->match_length == LONGEST) {
        u64 run = decode_match(model, count);
        if (run > 0)
            return run;
    }
    decode_literal(model, expected);
    return 1;
}

#include "decode.h"

/* After a difference, each byte has a flag until this many bytes are equal. NEAR: docs/patch-format.md. */
enum { QUIET_BYTES = 32, NEAR = 3 };

/*
 * The bytes around `position`, which lies in the sources or, after them, in the target so far. Bytes
 * that do not exist yet, or are no longer in the ring, are 0.
 */
static const u8 *reference_at(struct decoder *decoder, u64 position)
{
    static u8 around[2 * MARGIN];
    const struct output *output = &decoder->output;
    size held;

    if (position < decoder->sources.size)
        return source_at(&decoder->sources, position, &held);
    u64 distance = output->at - (position - decoder->sources.size);
    for (int i = -NEAR; i <= NEAR; i++)
        around[MARGIN + i] = byte_before(output, distance - (u64)(i64)i);
    return around + MARGIN;
}

/* Copies `count` bytes that do not differ. */
static void copy_equal(struct decoder *decoder, u64 from, u64 count)
{
    struct output *output = &decoder->output;
    u64 end_of_sources = decoder->sources.size;

    if (from >= end_of_sources) {
        u64 distance = output->at - (from - end_of_sources);
        for (; count > 0; count--)
            output_byte(output, byte_before(output, distance));
        return;
    }
    while (count > 0) {
        size held;
        const u8 *bytes = source_at(&decoder->sources, from, &held);
        if (held > count)
            held = (size)count;
        output_bytes(output, bytes, held);
        from += held, count -= held;
    }
}

/* Decodes a difference, and the bytes after it until QUIET_BYTES are equal. Returns how many. */
static u64 decode_differences(struct decoder *decoder, u64 from, u64 rest)
{
    struct model *model = &decoder->model;
    u64 done = 0;
    u32 equal = 0;

    differences_start(model);
    for (; done < rest && equal < QUIET_BYTES; done++) {
        const u8 *source = reference_at(decoder, from + done);
        if (done == 0 || decode_differs(model, source)) {
            decode_difference(model, source);
            equal = 0;
        } else {
            output_byte(&decoder->output, source[0]);
            equal++;
        }
    }
    return done;
}

static void decode_copy(struct decoder *decoder, u64 from, u64 count)
{
    int is_later = 0;

    for (u64 done = 0; done < count; is_later = 1) {
        u64 run = decode_run(&decoder->operations, count - done, is_later);
        if (run > count - done)
            fail("the patch is damaged: a run is longer than its copy");
        copy_equal(decoder, from + done, run);
        done += run;
        if (done < count)
            done += decode_differences(decoder, from + done, count - done);
    }
}

/* Each literal is predicted by the byte that the last copy would have, too. */
static void decode_literals(struct decoder *decoder, u64 count)
{
    for (; count > 0; count--) {
        u64 from = decoder->output.at + (u64)decoder->operations.distance;
        decode_literal(&decoder->model, reference_at(decoder, from)[0]);
    }
}

/* Fails unless the copy lies in the sources, or begins in the part of the target that the ring has. */
static void check_copy(const struct decoder *decoder, u64 from, u64 count)
{
    const struct output *output = &decoder->output;
    u64 end_of_sources = decoder->sources.size;
    u64 place = from - end_of_sources;

    if (count == 0 || count > output->content.size - output->at)
        fail("the patch is damaged: a copy is longer than the result");
    if (from < end_of_sources ? count > end_of_sources - from
                              : place >= output->at || output->at - place > output->mask)
        fail("the patch is damaged: a copy lies outside the sources");
}

static void decode_target(struct decoder *decoder)
{
    struct operations *operations = &decoder->operations;
    const struct output *output = &decoder->output;

    for (;;) {
        u64 gap = decode_gap(operations);
        if (gap > output->content.size - output->at)
            fail("the patch is damaged: its literals are longer than the result");
        decode_literals(decoder, gap);
        if (output->at == output->content.size)
            return;
        u64 from = output->at + (u64)decode_distance(operations);
        u64 count = decode_size(operations);
        check_copy(decoder, from, count);
        decode_copy(decoder, from, count);
        if (output->at == output->content.size)
            return;
    }
}

void decode_body(struct decoder *decoder, u8 *memory)
{
    size table = (size)sizeof(counter) << decoder->table_bits;
    struct coder *coder = &decoder->coder;

    coder_start(coder, &decoder->input, (counter *)(void *)memory, (int)decoder->table_bits);
    model_start(&decoder->model, coder, &decoder->output);
    operations_start(&decoder->operations, coder);
    output_start(&decoder->output, memory + table, (1u << decoder->ring_bits) - 1);
    decode_target(decoder);
    if (!coder_is_done(coder) || !input_is_at_end(&decoder->input))
        fail("the patch is damaged: it does not end where the result ends");
    output_finish(&decoder->output);
}

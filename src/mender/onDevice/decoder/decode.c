#include "decode.h"

/* After a difference, each byte has a flag until this many bytes are equal. */
enum { QUIET_BYTES = 32 };

/* Copies `count` bytes that do not differ. */
static void copy_equal(struct decoder *decoder, u64 from, u64 count)
{
    while (count > 0) {
        size held;
        const u8 *bytes = source_at(&decoder->sources, from, &held);
        if (held > count)
            held = (size)count;
        output_bytes(&decoder->output, bytes, held);
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
    for (; done < rest && equal < QUIET_BYTES; done++, from++) {
        size held;
        const u8 *source = source_at(&decoder->sources, from, &held);
        if (done == 0 || decode_differs(model, source)) {
            output_byte(&decoder->output, decode_difference(model, source));
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

/* The byte that the last copy would have next; 0 outside the sources. */
static u32 expected_byte(struct decoder *decoder)
{
    u64 from = decoder->output.at + (u64)decoder->operations.distance;
    size held;

    return from < decoder->sources.size ? source_at(&decoder->sources, from, &held)[0] : 0;
}

static void decode_gap(struct decoder *decoder, u64 count)
{
    if (count > decoder->output.content.size - decoder->output.at)
        fail("the patch is damaged: its literals are longer than the result");
    if (count > 0)
        literals_start(&decoder->model);
    while (count > 0)
        count -= decode_literals(&decoder->model, expected_byte(decoder), count);
}

/* Fails unless the copy lies in the sources and in the target. */
static void check_copy(const struct decoder *decoder, u64 from, u64 count)
{
    u64 end = decoder->sources.size;

    if (count == 0 || count > decoder->output.content.size - decoder->output.at)
        fail("the patch is damaged: a copy is longer than the result");
    if (from >= end || count > end - from)
        fail("the patch is damaged: a copy lies outside the sources");
}

static void decode_target(struct decoder *decoder)
{
    struct operations *operations = &decoder->operations;
    const struct output *output = &decoder->output;

    for (;;) {
        decode_gap(decoder, decode_gap_size(operations));
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
    int match_bits = (int)decoder->table_bits - MATCHES_FEWER;
    struct coder *coder = &decoder->coder;
    struct model *model = &decoder->model;

    coder_start(coder, &decoder->input, (counter *)(void *)memory, (int)decoder->table_bits);
    memory += (size)sizeof(counter) << decoder->table_bits;
    model->near = (u32 *)(void *)memory;
    model->far = model->near + (1u << match_bits);
    memory += 2 * (size)sizeof(u32) << match_bits;
    residue_start(&decoder->residue, memory, (1u << decoder->ring_bits) - 1);
    operations_start(&decoder->operations, coder);
    output_start(&decoder->output);
    model->coder = coder;
    model->output = &decoder->output;
    model->residue = &decoder->residue;
    model_start(model, match_bits);
    decode_target(decoder);
    if (!coder_is_done(coder) || !input_is_at_end(&decoder->input))
        fail("the patch is damaged: it does not end where the result ends");
    output_finish(&decoder->output);
}

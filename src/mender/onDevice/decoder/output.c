#include "output.h"

/* Calls `use` for the bytes [flushed, at), which are in the ring in one or two pieces. */
static void each_piece(struct output *output, void (*use)(struct output *, const u8 *, size))
{
    for (u64 done = output->flushed; done < output->at;) {
        size start = (size)(done & OUTPUT_MASK);
        u64 count = output->at - done;
        if (count > OUTPUT_SIZE - start)
            count = OUTPUT_SIZE - start;
        use(output, output->ring + start, (size)count);
        done += count;
    }
}

static void hash_piece(struct output *output, const u8 *bytes, size count)
{
    sha256_add(&output->sum, bytes, count);
}

static void write_piece(struct output *output, const u8 *bytes, size count)
{
    output->write(output->context, bytes, count);
}

void output_start(struct output *output)
{
    memset(output->ring, 0, sizeof output->ring);
    output->at = output->flushed = 0;
    sha256_start(&output->sum);
}

void output_flush(struct output *output)
{
    if (output->at == output->content.size)
        return; /* The last piece waits for output_finish. */
    each_piece(output, hash_piece);
    each_piece(output, write_piece);
    output->flushed = output->at;
}

void output_bytes(struct output *output, const u8 *bytes, size count)
{
    while (count > 0) {
        size start = (size)(output->at & OUTPUT_MASK);
        size part = count < OUTPUT_SIZE / 2 ? count : OUTPUT_SIZE / 2;
        if (part > OUTPUT_SIZE - start)
            part = OUTPUT_SIZE - start;
        memcpy(output->ring + start, bytes, part);
        output->at += part, bytes += part, count -= part;
        if (output->at - output->flushed > OUTPUT_SIZE / 2)
            output_flush(output);
    }
}

void output_finish(struct output *output)
{
    u8 digest[32];

    each_piece(output, hash_piece);
    sha256_finish(&output->sum, digest);
    if (memcmp(digest, output->content.digest, sizeof digest) != 0)
        fail("the result has another SHA-256: a source differs, or the patch is damaged");
    each_piece(output, write_piece);
    output->flushed = output->at;
}

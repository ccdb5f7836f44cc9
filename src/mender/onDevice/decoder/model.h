/* What a patch says of bytes: literal ones, and those of a copy that differ. */
#ifndef MODEL_H
#define MODEL_H

#include "coder.h"
#include "output.h"

enum { BYTE_CONTEXTS = 7, FLAG_INPUTS = 5, DIFFERENCE_INPUTS = 7, LITERAL_INPUTS = 8 };
enum { FLAG_ROWS = 256, DIFFERENCE_ROWS = 1024, LITERAL_ROWS = 4096 };
enum { MATCH_BITS = 16, LONGEST_SHOWN = 15 };

struct model {
    struct coder *coder;
    struct output *output;
    /* The state of a copy. */
    u32 history; /* whether the last bytes differed, the last one in bit 0 */
    u32 quiet;   /* bytes since the last difference */
    u8 last[3];  /* the last differences, the latest first */
    /* The match that predicts literals: where it is in the target, and its length. */
    u32 match_at;
    u32 match_length;
    u32 matches[1 << MATCH_BITS];
    counter match_counters[2 * (LONGEST_SHOWN + 1)];
    struct mixer flags, differences, literals;
    i32 flag_weights[FLAG_ROWS * FLAG_INPUTS];
    i32 difference_weights[DIFFERENCE_ROWS * DIFFERENCE_INPUTS];
    i32 literal_weights[LITERAL_ROWS * LITERAL_INPUTS];
};

void model_start(struct model *model, struct coder *coder, struct output *output);
/* Writes a literal, where the last copy would have `expected`. */
void decode_literal(struct model *model, u32 expected);
/* Begins at a byte that differs. */
void differences_start(struct model *model);
/* Whether the next byte differs from the source's at `from`. */
int decode_differs(struct model *model, const u8 *from);
/* Writes a byte that differs from the source's at `from`. */
void decode_difference(struct model *model, const u8 *from);

#endif

/* What a patch says of bytes: literal ones, and those of a copy that differ. */
#ifndef MODEL_H
#define MODEL_H

#include "model/numbers.h"
#include "output.h"
#include "model/residue.h"

enum { BYTE_CONTEXTS = 7, FLAG_INPUTS = 5, DIFFERENCE_INPUTS = 7, LITERAL_INPUTS = 8 };
enum { FLAG_ROWS = 256, DIFFERENCE_ROWS = 1024, LITERAL_ROWS = 4096 };
/*
 * A match has SHORTEST equal bytes before its place, and at most LONGEST are counted. One below SHORT
 * is replaced by one that is not. One that is not first says whether its byte is right, in one bit.
 */
enum { SHORTEST = 5, SHORT = 16, LONGEST = 32, MATCH_CLASSES = 16 };

struct model {
    struct coder *coder;
    struct output *output;
    struct residue *residue;
    /* The state of a copy. */
    u32 history; /* whether the last bytes differed, the last one in bit 0 */
    u32 quiet;   /* bytes since the last difference */
    u8 last[3];  /* the last differences, the latest first */
    /* The match that predicts literals: the place of its next byte in the residue, and its length. */
    u64 match_at;
    u32 match_length;
    /* Where the residue had literals, by the hash of the six and of the twelve bytes before them. */
    u32 *near;
    u32 *far;
    int match_shift;
    struct number match_runs;
    /* Whether the byte of a match is right, by the length of the match and the byte. */
    counter is_right[LONGEST - SHORT + 1][256];
    counter match_counters[2 * MATCH_CLASSES];
    struct mixer flags, differences, literals;
    i32 flag_weights[FLAG_ROWS * FLAG_INPUTS];
    i32 difference_weights[DIFFERENCE_ROWS * DIFFERENCE_INPUTS];
    i32 literal_weights[LITERAL_ROWS * LITERAL_INPUTS];
};

/* Resets all but the pointers, and the 2^match_bits places of either table. */
void model_start(struct model *model, int match_bits);
/* Looks for a match before a literal that follows a copy. */
void literals_start(struct model *model);
/* Writes 1 to `count` literals and returns how many. The last copy would have `expected` for the first. */
u64 decode_literals(struct model *model, u32 expected, u64 count);
/* Begins at a byte that differs. */
void differences_start(struct model *model);
/* Whether the next byte differs from the source's at `from`. */
int decode_differs(struct model *model, const u8 *from);
/* A byte that differs from the source's at `from`. */
u8 decode_difference(struct model *model, const u8 *from);

#endif

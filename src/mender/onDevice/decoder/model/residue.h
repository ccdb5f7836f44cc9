/*
 * The residue: all bytes of the target that are not copied from the sources, in their order. A ring
 * keeps the last of them. What it has after the same bytes predicts the next literal.
 */
#ifndef RESIDUE_H
#define RESIDUE_H

#include "types.h"

struct residue {
    u8 *ring;
    u32 mask; /* bytes of the ring - 1 */
    u64 at;   /* bytes of the residue so far */
};

static inline void residue_start(struct residue *residue, u8 *ring, u32 mask)
{
    residue->ring = ring;
    residue->mask = mask;
    residue->at = 0;
}

static inline void residue_add(struct residue *residue, u8 byte)
{
    residue->ring[residue->at & residue->mask] = byte;
    residue->at++;
}

/* True if the ring has the byte at `place`. */
static inline int residue_has(const struct residue *residue, u64 place)
{
    return place < residue->at && residue->at - place <= residue->mask;
}

/* The byte at `place`; 0 if the ring does not have it. */
static inline u8 residue_byte(const struct residue *residue, u64 place)
{
    return residue_has(residue, place) ? residue->ring[place & residue->mask] : 0;
}

#endif

import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors.ts';
import { BodyDecoder } from './bodyDecoder.ts';
import { LONGEST_HEADER, parsePatchHeader, sizeOf, type Content, type PatchHeader } from './format.ts';
import { PatchInput } from './patchInput.ts';
import { SourceBlocks, type PatchSource } from './sourceBlocks.ts';

/**
 * The target of a patch, in pieces; each is valid until the next one is requested. `openSource`
 * gets the header before anything is decoded; it may throw to refuse it. The last piece is yielded
 * only if the SHA-256 of the target is right. Takes the memory that the header says, and 1 MB.
 *
 * Throws IntegrityError for a damaged patch or another source, UnsupportedError for another version
 * of the format, and what reading the patch and the sources throws.
 */
export async function* decodePatch(
  patch: AsyncIterable<Uint8Array>,
  openSource: (header: PatchHeader) => PatchSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new PatchInput(patch);
  try {
    await input.fill(LONGEST_HEADER);
    const { header, length } = parsePatchHeader(input.rest);
    input.skip(length);
    const source = new SourceBlocks(openSource(header), sizeOf(header.sources));
    yield* checkedPieces(new BodyDecoder(input, header, source), input, header.target);
  } finally {
    await input.close();
  }
}

/** Runs the decoder. Compares the SHA-256 before the last piece. */
async function* checkedPieces(
  decoder: BodyDecoder,
  input: PatchInput,
  target: Content,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sum = createHash('sha256');
  let size = 0;
  for (const step of decoder.run()) {
    if (step === 'fill') {
      await input.fill();
      continue;
    }
    sum.update(step);
    size += step.length;
    if (size === target.size) compare(target, sum.copy().digest('hex'));
    yield step;
  }
}

function compare({ digest }: Content, found: string): void {
  if (digest === `sha256:${found}`) return;
  throw new IntegrityError(`decoding a patch: expected ${digest}, found sha256:${found}`);
}

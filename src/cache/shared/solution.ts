import type { KeyObject } from 'node:crypto';
import { createPublicKey, sign, verify } from 'node:crypto';
import { array, literal, object, safeParse, strictObject, string } from 'valibot';
import type { InferOutput } from 'valibot';
import { IntegrityError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { parseJsonIfAny } from '../../oci/json.ts';
import { bytes, digest } from '../records.ts';

/** The question: which deltas turn the layers of a base image into those of a new image? */
export interface SolutionKey {
  /** DiffIDs of the base image. */
  base: readonly Digest[];
  /** DiffIDs of the new image. */
  image: readonly Digest[];
  /** Those of them that need a delta. */
  changed: readonly Digest[];
  /** Name, version and effort of the encoder. */
  encoder: string;
}

const SOLUTION = strictObject({
  version: literal(1),
  base: array(digest),
  image: array(digest),
  changed: array(digest),
  encoder: string(),
  /** The deltas. A changed layer without one ships whole. */
  deltas: array(object({ to: digest, from: digest, fromSize: bytes, digest, size: bytes })),
  /** Bytes of each layer of the new image. */
  sizes: array(object({ diffID: digest, size: bytes })),
});
/** The answer, with which neither the layers of the base image nor the changed ones are needed. */
export type Solution = InferOutput<typeof SOLUTION>;

const SIGNED = strictObject({ solution: string(), signature: string() });

/**
 * Returns the name under which the owner of `key` shares the solution of a question. Owners of
 * other keys use other names. Pure.
 */
export function solutionName(question: SolutionKey, key: KeyObject): string {
  const owner = publicHalf(key).export({ type: 'spki', format: 'der' });
  return hexOf(digestOf(`${hexOf(digestOf(owner))} ${textOf(question)}`));
}

/** Returns the public half of either half of a key pair. */
function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

function textOf({ base, image, changed, encoder }: SolutionKey): string {
  return JSON.stringify(['solution', 1, base, image, changed, encoder]);
}

/** Returns a solution with a signature. `key`: a private key. Pure, but ECDSA signs at random. */
export function signSolution(solution: Solution, key: KeyObject): string {
  const text = JSON.stringify(solution);
  const signature = sign(hashFor(key), Buffer.from(text), key).toString('base64');
  return JSON.stringify({ solution: text, signature });
}

/**
 * Returns the solution in `text` if the private half of `key` signed it and it answers `question`.
 * Throws IntegrityError otherwise. Pure.
 */
export function readSolution(text: string, question: SolutionKey, key: KeyObject): Solution {
  const signed = safeParse(SIGNED, parseJsonIfAny(text));
  if (!signed.success) throw new IntegrityError('expected a signed solution');
  const { solution, signature } = signed.output;
  if (!verify(hashFor(key), Buffer.from(solution), publicHalf(key), Buffer.from(signature, 'base64'))) {
    throw new IntegrityError('it is damaged, or not signed with the key of --cache-key');
  }
  const read = safeParse(SOLUTION, parseJsonIfAny(solution));
  if (!read.success) throw new IntegrityError('expected a solution of version 1');
  if (textOf(read.output) !== textOf(question)) throw new IntegrityError('it is about other layers');
  if (!isComplete(read.output)) throw new IntegrityError('it lacks layers');
  return read.output;
}

function isComplete({ base, image, changed, deltas, sizes }: Solution): boolean {
  const known = new Set(sizes.map(({ diffID }) => diffID));
  return (
    image.every((diffID) => known.has(diffID)) &&
    deltas.every(({ to, from }) => changed.includes(to) && base.includes(from))
  );
}

/** Ed25519 hashes by itself. */
function hashFor({ asymmetricKeyType: kind }: KeyObject): string | null {
  return kind === 'ed25519' || kind === 'ed448' ? null : 'sha256';
}

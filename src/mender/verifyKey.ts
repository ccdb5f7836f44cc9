import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UsageError, messageOf } from '../errors.ts';
import { checkedKey } from './sign.ts';

/**
 * The public key in the PEM file at `path`, which may hold the private key as well. Throws UsageError when there is
 * none, and UnsupportedError for a kind of key that Mender does not know.
 */
export async function readVerificationKey(path: string): Promise<KeyObject> {
  let key: KeyObject;
  try {
    key = createPublicKey(await readFile(path));
  } catch (error) {
    throw new UsageError(`reading the key ${path}: ${messageOf(error)}`, {
      hint: 'give a public key in PEM: openssl pkey -in key.pem -pubout -out public.pem',
    });
  }
  return checkedKey(key, path);
}

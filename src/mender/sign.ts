import type { KeyObject } from 'node:crypto';
import { createPrivateKey, sign, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UnsupportedError, UsageError, messageOf, systemCodeOf } from '../errors.ts';

/**
 * The private key in the PEM file at `path`: RSA, or ECDSA with P-256; PKCS#1, SEC1 or PKCS#8. Throws UsageError for a
 * file that holds none or is encrypted, and UnsupportedError for a kind of key that devices do not know.
 */
export async function readSigningKey(path: string): Promise<KeyObject> {
  const pem = await readKeyFile(path);
  if (/ENCRYPTED/.test(pem)) {
    throw new UsageError(`reading the signing key ${path}: it is protected by a passphrase`, {
      hint: `write it without one: openssl pkey -in ${path} -out plain.pem`,
    });
  }
  return checkedKey(parseKey(pem, path), path);
}

/** Label of the first PEM block in the file at `path`, like `PRIVATE KEY` (PKCS#8); empty where there is none. */
export async function firstPemBlock(path: string): Promise<string> {
  return /-----BEGIN ([A-Z ]+)-----/.exec(await readKeyFile(path))?.[1] ?? '';
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    const why = systemCodeOf(error) === 'ENOENT' ? 'no such file' : messageOf(error);
    throw new UsageError(`reading the signing key ${path}: ${why}`, { hint: 'check --sign' });
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UsageError(`reading the signing key ${path}: it holds no private key in PEM`, {
      hint: 'make one with: openssl ecparam -genkey -name prime256v1 -noout -out key.pem',
    });
  }
}

/** The key itself, when devices know its kind; `path` names it in the UnsupportedError. */
function checkedKey(key: KeyObject, path: string): KeyObject {
  const kind = key.asymmetricKeyType;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (kind === 'rsa' || (kind === 'ec' && curve === 'prime256v1')) return key;
  const found = kind === 'ec' ? `ECDSA with the curve ${String(curve)}` : String(kind);
  throw new UnsupportedError(`the key ${path}: Mender signs with RSA or ECDSA P-256, this is ${found}`, {
    hint: 'make a key with: openssl ecparam -genkey -name prime256v1 -noout -out key.pem',
  });
}

/**
 * `manifest.sig`: RSA PKCS#1 v1.5 or ECDSA (raw r||s) over the SHA-256 of the manifest, in base64.
 * https://docs.mender.io/artifact-creation/sign-and-verify
 */
export function signatureOf(manifest: Uint8Array, key: KeyObject): string {
  return sign('sha256', manifest, { key, dsaEncoding: 'ieee-p1363' }).toString('base64');
}

/** True if `signature` was made over the manifest with the private half of `key`. */
export function isSignedBy(manifest: Uint8Array, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return verify('sha256', manifest, { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readUserFile } from '../io/readUserFile.ts';
import { UnsupportedError, UsageError } from '../errors.ts';

/**
 * The private key in the PEM file at `path`: RSA, or ECDSA with P-256, as PKCS#1, SEC1 or PKCS#8.
 * Throws UsageError for a file without a private key or with an encrypted one, and UnsupportedError
 * for a kind of key that devices don't know, and NotFoundError for a missing file.
 */
export async function readSigningKey(path: string): Promise<KeyObject> {
  const doing = `reading the signing key ${path}`;
  const pem = await readKeyFile(path, doing, 'check --sign');
  if (/ENCRYPTED/.test(pem)) {
    throw new UsageError(`${doing}: it is protected by a passphrase`, {
      hint: `sign with --sign-with "openssl dgst -sha256 -sign ${path}", which asks for it`,
    });
  }
  return expectKnownKind(parseKey(pem, path), path);
}

/**
 * The key in the PEM file at `path` that verifies signatures: a public key, a certificate, or a
 * private key, whose public half is taken. Throws UsageError for a file without a key, and
 * UnsupportedError for a kind of key that devices don't know. Throws NotFoundError for a missing
 * file.
 */
export async function readVerificationKey(path: string): Promise<KeyObject> {
  const doing = `reading the key ${path}`;
  const pem = await readKeyFile(path, doing, 'name the public key of the signer with --key');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw new UsageError(`${doing}: expected a key in PEM`, {
      hint: 'name the public key of the signer with --key',
      cause: error,
    });
  }
  return expectKnownKind(key, path);
}

/**
 * Label of the first PEM block in the file at `path`, like `PRIVATE KEY` (PKCS#8); empty without a
 * block.
 */
export async function firstPemBlock(path: string): Promise<string> {
  const pem = await readKeyFile(path, `reading the signing key ${path}`, 'check --sign');
  return /-----BEGIN ([A-Z ]+)-----/.exec(pem)?.[1] ?? '';
}

async function readKeyFile(path: string, doing: string, hint: string): Promise<string> {
  return (await readUserFile(path, { doing, hint })).toString('latin1');
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UsageError(`reading the signing key ${path}: expected a private key in PEM`, {
      hint: 'make one with: openssl ecparam -genkey -name prime256v1 -noout -out key.pem',
    });
  }
}

/**
 * The same key. Throws UnsupportedError, which names `path`, for a kind that devices don't know.
 */
function expectKnownKind(key: KeyObject, path: string): KeyObject {
  const kind = key.asymmetricKeyType;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (kind === 'rsa' || (kind === 'ec' && curve === 'prime256v1')) return key;
  const found = kind === 'ec' ? `ECDSA with the curve ${String(curve)}` : String(kind);
  throw new UnsupportedError(`the key ${path}: Mender signs with RSA or ECDSA P-256, found ${found}`, {
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

/** True if the private half of `key` made `signature` over the manifest. */
export function isSignedBy(manifest: Uint8Array, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return verify('sha256', manifest, { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

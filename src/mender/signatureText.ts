import { ToolError } from '../errors.ts';

/** Bytes of an ECDSA signature with P-256: r and s. */
const ECDSA = 64;
/** Bytes of the shortest RSA signature, with a key of 2048 bits. */
const SHORTEST_RSA = 256;

/**
 * Returns `manifest.sig` for what a signer printed: the signature as bytes or in base64, ECDSA as
 * the raw r and s or in DER (RFC 3279, section 2.2.3). Throws ToolError for anything else. Pure.
 */
export function signatureText(output: Uint8Array): string {
  const signature = rawEcdsa(bytesOf(Buffer.from(output)));
  if (signature.length === ECDSA || signature.length >= SHORTEST_RSA) return signature.toString('base64');
  throw new ToolError(
    `signing: the command of --sign-with printed ${output.length} bytes, expected a signature with RSA or ECDSA P-256`,
    { hint: 'print the signature alone, as bytes or in base64: docs/verify.md' },
  );
}

/** Texts are base64. No signature consists of printable bytes alone. */
function bytesOf(output: Buffer): Buffer {
  const text = output.toString('latin1');
  if (/[^\t\r\n -~]/.test(text)) return output;
  // Hexadecimal digits would be read as base64 of other bytes.
  if (/^[0-9a-f\s]+$/i.test(text)) return Buffer.alloc(0);
  return /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
}

/** The r and s of a signature in DER, as 32 bytes each. Another signature is returned as it is. */
function rawEcdsa(signature: Buffer): Buffer {
  if (signature.length === ECDSA) return signature;
  const [sequence, length, tag, rLength = 0] = signature;
  if (sequence !== 0x30 || tag !== 0x02 || length !== signature.length - 2) return signature;
  const s = signature.subarray(4 + rLength);
  const numbers = [signature.subarray(4, 4 + rLength), s.subarray(2)].map(unsigned);
  const isWhole = s[0] === 0x02 && s[1] === s.length - 2 && numbers.every((one) => one.length <= 32);
  if (!isWhole) return signature;
  return Buffer.concat(numbers.map((one) => Buffer.concat([Buffer.alloc(32 - one.length), one])));
}

/** Without the zero bytes in front, which DER adds to numbers with a high first bit. */
function unsigned(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : number.subarray(first);
}

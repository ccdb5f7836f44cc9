import { createCipheriv } from 'node:crypto';

/** Bytes that no gzip makes smaller, the same for the same seed. */
export function noise(size: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(size));
}

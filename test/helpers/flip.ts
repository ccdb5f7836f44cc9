import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Damages a file the way a bad disk would: same name, same size, another byte (the middle one, if
 * none is named).
 */
export function flip(path: string, at?: number): void {
  const bytes = readFileSync(path);
  bytes[at ?? bytes.length >> 1]! ^= 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}

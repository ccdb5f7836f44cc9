// Layers that are too large to keep, made on the fly.
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

const MIB = 1 << 20;

/**
 * Bytes that don't compress, the same for the same seed. The byte at `flipAt` of every 64 MiB is
 * another one.
 */
function* noise(seed: string, size: number, flipAt?: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', createHash('md5').update(seed).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(8 * MIB);
  for (let done = 0; done < size; done += zeros.length) {
    const bytes = cipher.update(zeros.subarray(0, Math.min(zeros.length, size - done)));
    if (flipAt !== undefined && done % (64 * MIB) === 0) bytes[flipAt]! ^= 1;
    yield bytes;
  }
}

function tarHeader(path: string, size: number, time: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(path, 0);
  header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(time, 12), 100);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return header;
}

/** Writes a tar of the given headers and padded bodies. */
export function writeTar(path: string, entries: Iterable<Buffer>): void {
  const file = openSync(path, 'w');
  let held: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    if (size > 0) writeSync(file, Buffer.concat(held));
    held = [];
    size = 0;
  };
  for (const bytes of entries) {
    held.push(bytes);
    size += bytes.length;
    if (size > 8 * MIB) flush();
  }
  held.push(Buffer.alloc(1024));
  size += 1024;
  flush();
  closeSync(file);
}

/**
 * Five files of 1 GiB; in the new layer one in 64 MiB has another byte, and a sixth file of 10 MiB
 * comes first.
 */
export function* hugeLayer(isNew: boolean): Generator<Buffer> {
  if (isNew) yield* [tarHeader('data/new', 10 * MIB, 1), ...noise('new', 10 * MIB)];
  for (let number = 0; number < 5; number++) {
    yield tarHeader(`data/${number}`, 2 ** 30, 1);
    yield* noise(`file ${number}`, 2 ** 30, isNew ? number * 1000 : undefined);
  }
}

/**
 * A million files of 300 to 700 bytes. In the new layer all have another time, one in a hundred has
 * other bytes, and one in a thousand is gone.
 */
export function* countlessFiles(isNew: boolean): Generator<Buffer> {
  for (let number = 0; number < 1_000_000; number++) {
    if (isNew && number % 1000 === 7) continue;
    const size = 300 + ((number * 7919) % 400);
    const body = Buffer.alloc(size <= 512 ? 512 : 1024);
    const version = isNew && number % 100 === 0 ? 2 : 1;
    const sum = createHash('md5').update(String(number)).digest('hex');
    const text = `file ${number}, version ${version}: ${sum}\n`;
    body.fill(text, 0, size);
    yield tarHeader(`srv/${number % 1000}/file-${number}.txt`, size, isNew ? 2 : 1);
    yield body;
  }
}

// Prints src/mender/onDevice/decoder/selfTest.h: a small patch and its source, which `decoder test`
// decodes.
//
//   node --import ./test/helpers/typescript.js scripts/lib/decoderSelfTest.ts > src/mender/onDevice/decoder/selfTest.h
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePatch } from '../../src/delta/patch/encodePatch.ts';
import { digestOf } from '../../src/oci/digest.ts';

/** Words that say little, as binary code does: many of them are equal, and some differ by a few. */
function sourceOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = at % 4 === 0 ? (at * at) >> 5 : 0x40 + (at % 4) * 3;
  return bytes;
}

/**
 * What became of the source: numbers that grew, text, a part that moved, and a part that repeats.
 */
function targetOf(source: Buffer): Buffer {
  const grown = Buffer.from(source.subarray(100, 700));
  for (let at = 3; at < grown.length; at += 24) grown[at]! += 8;
  const text = Buffer.from('A decoder that can decode this text can decode texts of any decoder. '.repeat(2));
  return Buffer.concat([source.subarray(700), grown, text, source.subarray(0, 90), text]);
}

function array(name: string, bytes: Buffer): string {
  const lines = Array.from({ length: Math.ceil(bytes.length / 20) }, (_, line) =>
    [...bytes.subarray(line * 20, line * 20 + 20)].join(', '),
  );
  return `static const u8 ${name}[${bytes.length}] = {\n${lines.map((line) => `    ${line},\n`).join('')}};\n`;
}

const folder = mkdtempSync(join(tmpdir(), 'self-test-'));
try {
  const source = sourceOf(800);
  const layers = [source, targetOf(source)].map((bytes, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, bytes);
    return { diffID: digestOf(bytes), path, size: bytes.length };
  });
  const patch = join(folder, 'patch');
  await encodePatch([layers[0]!], layers[1]!, patch);
  const header = '/* Written by scripts/lib/decoderSelfTest.ts. */\n#include "types.h"\n\n';
  process.stdout.write(
    `${header}${array('TEST_SOURCE', source)}\n${array('TEST_PATCH', readFileSync(patch))}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

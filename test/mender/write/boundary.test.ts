import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  gzipPayloadFile,
  endsOnBoundary,
  offBoundary,
  tarPayloadFile,
} from '../../../src/mender/write/files.ts';
import { buildArtifact } from '../../../src/mender/build.ts';
import { headerEntries } from '../../../src/mender/write/header.ts';
import { DEFAULT_MTIME, tarFile, tarSize } from '../../../src/tar/tar.ts';
import { appPayload } from '../../../src/mender/write/appPayload.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { artifactSpec, context, fullLayer, payloadImage } from '../fixtures.ts';

describe('offBoundary', () => {
  it('keeps the end of the tar, and its zero bytes, off every multiple of 64 KiB', () => {
    const inner = Array.from({ length: 300 }, (_, count) => 60_000 + count * 256);
    for (const size of inner) {
      const files = [
        gzipPayloadFile('images.tar.gz', [tarFile('a', Buffer.alloc(size))], DEFAULT_MTIME),
        tarPayloadFile('manifests.tar', [tarFile('b', '')], DEFAULT_MTIME),
      ];
      const changed = offBoundary(files);
      expect(endsOnBoundary(tarSize(changed))).toBe(false);
      if (!endsOnBoundary(tarSize(files))) expect(changed).toEqual(files);
    }
  });

  it.each([
    [65_536, true],
    [65_536 + 512, true],
    [65_536 + 1024, true],
    [65_536 + 1536, false],
    [65_024, false],
    [0, true],
  ])('calls a length of %d on a boundary: %s', (size, expected) => {
    expect(endsOnBoundary(size)).toBe(expected);
  });
});

describe('an artifact whose data would end on a boundary', () => {
  it.each(['embedded', 'mender-artifact'] as const)('does not end there, written by %s', async (writer) => {
    requireTool('mender-artifact');
    const folder = temporaryFolder();
    const path = join(folder, 'out.mender');
    const spec = artifactSpec(
      [payloadImage('web', [fullLayer(folder, 'a', 'x'.repeat(contentOnBoundary()))])],
      { compression: 'none', writer },
    );
    expect(endsOnBoundary(tarSize(appPayload(spec).files))).toBe(true);
    await buildArtifact(spec, path, context);
    execFileSync('tar', ['-xf', path, '-C', folder]);
    const data = readFileSync(join(folder, 'data/0000.tar'));
    expect(endsOnBoundary(data.length)).toBe(false);
    expect(data.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
    expect(data.subarray(-2048, -1024).equals(Buffer.alloc(1024))).toBe(false);
    execFileSync('mender-artifact', ['validate', path], { stdio: 'pipe' });
  });

  it('holds for the header as well', () => {
    for (let size = 60_000; size < 66_000; size += 256) {
      const spec = artifactSpec([]);
      const scripts = [{ name: 'ArtifactInstall_Enter_10', content: '#'.repeat(size) }];
      const entries = headerEntries(spec, { ...appPayload(spec), scripts });
      expect(endsOnBoundary(tarSize(entries))).toBe(false);
    }
  });
});

/** How long a layer's only file must be for the data to end on a boundary. */
function contentOnBoundary(): number {
  const folder = temporaryFolder();
  for (let size = 40_000; ; size += 512) {
    const layer = fullLayer(folder, 'a', 'x'.repeat(size));
    const spec = artifactSpec([payloadImage('web', [layer])]);
    if (endsOnBoundary(tarSize(appPayload(spec).files))) return size;
  }
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readContent } from '../../../src/pipeline/verify/content.ts';
import { tarOfList } from '../../helpers/tarball.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { artifactOf, file } from '../../mender/read/parts.ts';

const LARGEST = 1 << 20;

test.each(['docker-compose.yaml', 'docker-compose.override.yaml', '.env'])(
  '%s of an artifact is read up to 1 MiB',
  async (name) => {
    for (const [size, isRead] of [
      [LARGEST, true],
      [LARGEST + 1, false],
    ] as const) {
      const path = join(temporaryFolder(), 'it.mender');
      const manifests = tarOfList([file(`manifests/${name}`, '#'.repeat(size))]);
      writeFileSync(path, artifactOf({ data: [file('manifests.tar', manifests)] }));
      const { composeFiles, tooLarge } = await readContent(path);
      expect([composeFiles.has(name), tooLarge]).toEqual(isRead ? [true, []] : [false, [name]]);
    }
  },
);

import { expect, it } from 'vitest';
import { createLog } from '../../../../src/io/log.ts';
import { findPackages } from '../../../../src/pipeline/describe/packages/findPackages.ts';
import { testCache } from '../../../helpers/cache.ts';
import { omittedLayer, payloadImage } from '../../../mender/fixtures.ts';

it('names an image with a layer that the cache does not have', async () => {
  const lines: string[] = [];
  const image = payloadImage('web', [omittedLayer('a')]);
  const log = createLog('info', (line) => lines.push(line));
  expect(await findPackages([image], testCache().layers, log)).toEqual(new Map());
  expect(lines).toEqual([
    expect.stringContaining(
      'warning: the SBOM does not list the packages of registry.example.com/shop/web:2.0: ',
    ),
  ]);
});

import { expect, test } from 'vitest';
import type { ImageContent } from '../../../src/pipeline/verify/content.ts';
import { imageByIndex } from '../../../src/pipeline/verify/rebuilt.ts';

test.each([
  [{ os: 'linux', architecture: 'arm', variant: 'v7' }, 'linux/arm/v7'],
  [{ os: 'linux', architecture: 'amd64' }, 'linux/amd64'],
  [undefined, undefined],
])('an image has the platform %j of its index, whatever its config says', (platform, expected) => {
  const index = Buffer.from(JSON.stringify({ manifests: [{ platform }] }));
  const report = { folder: '1', platform: 'linux/s390x', layers: [] };
  const content = { report, documents: new Map([['index.json', index]]) } as unknown as ImageContent;
  expect(imageByIndex(content).platform).toBe(expected);
});

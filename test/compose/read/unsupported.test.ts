import { describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../../src/errors.ts';
import { readManifest } from '../project.ts';

const ok = 'services: {w: {image: x}}\n';

describe('what an artifact can not bring is refused', () => {
  test.each([
    [
      'services: {w: {image: x, volumes: [{type: image, source: "m:1", target: /m}]}}',
      'services.w.volumes: image m:1',
    ],
    ['services: {db: {provider: {type: cloud}}}', 'services.db is run by a provider'],
    [
      'services: {w: {image: x, pre_start: [{image: y, command: z}]}}',
      'services.w.pre_start is not supported',
    ],
    [
      `include: ["https://github.com/a/b.git#main:c"]\n${ok}`,
      'include: https://github.com/a/b.git#main:c is not',
    ],
    [`include: [{path: "oci://registry/a:1"}]\n${ok}`, 'include: oci://registry/a:1 is not a local file'],
    [`include: ["git@u:hunter2@h:r.git"]\n${ok}`, 'include: ***@h:r.git is not'],
    [`include: ["git@github.com:a/b.git"]\n${ok}`, 'include: git@github.com:a/b.git is not'],
    [
      'services: {w: {extends: {file: "https://a/b.yaml", service: s}}}',
      'services.w.extends: https://a/b.yaml is not a local file',
    ],
  ])('%s', async (text, message) => {
    await expect(readManifest(text)).rejects.toThrow(message);
    await expect(readManifest(text)).rejects.toThrow(UnsupportedError);
  });

  test('a service of a provider in a profile that is not enabled', async () => {
    const application = await readManifest(
      `services: {w: {image: x}, db: {provider: {type: c}, profiles: [p]}}`,
    );
    expect(application.inactive).toEqual(['db']);
  });
});

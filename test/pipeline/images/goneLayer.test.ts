import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildImage } from '../../helpers/images.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { project } from '../../helpers/project.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const base = { 'bin/tool': 'tool '.repeat(20_000) };
const v1 = buildImage({ layers: [base, { 'app/main.js': 'one '.repeat(9000) }] });
const v2 = buildImage({ layers: [base, { 'app/main.js': `${'one '.repeat(9000)}two` }] });

test('a layer of the base image that nobody has any more lets the new layer ship whole', async () => {
  const registry = await startMisbehavingRegistry();
  onTestFinished(() => registry.stop());
  registry.add('team/app', '1', v1);
  registry.add('team/app', '2', v2);
  const { build, cache } = project(temporaryFolder(), [
    `web: {image: "${registry.host}/team/app:\${TAG:-2}"}`,
  ]);
  expect(await build('1.0', '1')).toMatchObject({ code: 0 });
  rmSync(join(cache, 'v1/layers'), { recursive: true });
  const [, layer] = v1.layers;
  registry.faults.push({
    match: new RegExp(`blobs/${layer!.descriptor.digest}`),
    act: (_request, response) => void response.writeHead(404).end(),
  });
  const words = `a layer of the base image ${registry.host}/team/app:1 is gone`;
  const built = await build('2.0', '2');
  expect([built.code, built.stderr]).toEqual([0, expect.stringContaining(words)]);
});

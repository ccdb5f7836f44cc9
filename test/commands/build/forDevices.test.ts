import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { schemaErrors } from '../../helpers/buildSchema.ts';
import { runCli } from '../../helpers/cli.ts';
import { PROBE } from '../../device/probe.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import { noise } from '../../helpers/noise.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A project, and an ssh on PATH that reaches a device on which every installation ends well. */
function place(): { folder: string; artifact: string } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'probe'), PROBE);
  const program = [
    '#!/bin/sh',
    'cat > /dev/null',
    `case "$*" in *local*) echo "runs: web web:1 Up" ;; *) cat '${folder}/probe' ;; esac`,
    '',
  ];
  writeFileSync(join(folder, 'ssh'), program.join('\n'));
  chmodSync(join(folder, 'ssh'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']!}`);
  writeFileSync(
    join(folder, 'compose.yaml'),
    'x-mender: {device-type: raspberrypi4, platform: linux/arm64}\nservices: {web: {image: "web:1"}}\n',
  );
  const platform = { os: 'linux', architecture: 'arm64' };
  const image = buildImage({ layers: [{ 'usr/base': noise(10_000, 1) }], platform });
  writeOciArchive(join(folder, 'web.tar'), { 'web:1': image });
  return { folder, artifact: join(folder, 'out.mender') };
}

test.each([
  [[], /^service[^]*\nartifact: \S+\n[^]*\ninstalled on root@device\n {2}web web:1 Up\n$/, /./],
  [['--json'], undefined, /./],
  [['-q'], /^\S+out\.mender\n$/, /^$/],
])('build --to ssh://... %s', async (flags, stdout, stderr) => {
  const { folder, artifact } = place();
  const words = [
    'build',
    folder,
    '-f',
    `web=${join(folder, 'web.tar')}`,
    '--mode',
    'offline',
    '-a',
    artifact,
  ];
  const what = ['--artifact-version', '2', '--no-delta', '--to', 'ssh://root@device', ...flags];
  const run = await runCli([...words, ...what], { HOME: folder });
  expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(stderr)]);
  if (stdout === undefined) expect(schemaErrors(run.stdout, 'BuildDocument')).toBe('');
  else expect(run.stdout).toMatch(stdout);
});

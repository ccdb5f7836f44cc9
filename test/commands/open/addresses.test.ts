import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const PLAN = ['plan', 'FOLDER', '-t', 'q', '-p', 'linux/amd64', '--artifact-version', '1'];
const ADDRESS = 'me:hunter2@example.com';
const QUERY = 'ftp://example.com/?key=hunter2';

test.each<[string, string[], Record<string, string>]>([
  ['--mender-host', ['devices', 'list', '--mender-host', ADDRESS], {}],
  ['--mender-host with a query', ['devices', 'list', '--mender-host', QUERY], {}],
  ['the variable of --mender-host', ['devices', 'list'], { MENDER_DOCKER_DELTA_MENDER_HOST: ADDRESS }],
  ['--starmap-url', ['destinations', 'resolve', 'app', '--starmap-url', ADDRESS], {}],
  ['--starmap-url with a query', ['destinations', 'resolve', 'app', '--starmap-url', QUERY], {}],
  ['--insecure-registry', [...PLAN, '--insecure-registry', ADDRESS], {}],
  ['DOCKER_HOST', [...PLAN, '--mode', 'local-first'], { DOCKER_HOST: ADDRESS }],
  ['DOCKER_HOST of another kind', [...PLAN, '--mode', 'local-first'], { DOCKER_HOST: `ssh://${ADDRESS}` }],
  ['--library', ['library', 'version', '--library', ADDRESS], {}],
  ['--device', ['doctor', '--device', ADDRESS], {}],
])('no error repeats the password in %s', async (_name, words, environment) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: "web:1"}}\n');
  const argv = words.map((word) => (word === 'FOLDER' ? folder : word));
  const { code, stdout, stderr } = await runCli(argv, { HOME: folder, ...environment });
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain('example.com');
  expect(`${stdout}${stderr}`).not.toContain('hunter2');
});

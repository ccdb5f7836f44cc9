import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { buildImage, buildIndex } from '../helpers/images.ts';
import { noise } from '../helpers/noise.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/bake.md'), 'utf8');

/** The text of the first code block of docs/bake.md that begins with `start`. */
function blockWith(start: string): string {
  const blocks = [...PAGE.matchAll(/```\w*\n([^]*?)```/g)].map(([, text = '']) => text);
  return blocks.find((text) => text.startsWith(start))!;
}

/** The bytes of a program. They are few, so that the test is fast. */
const SIZE = 100_000;

function imageOf(name: string, architecture: string, tag: string) {
  const program = noise(SIZE, name.length + architecture.length);
  program.write(`${name} ${tag}`, SIZE / 2);
  return buildImage({ platform: { os: 'linux', architecture }, layers: [{ [name]: program }] });
}

/** A repository with the bake file of the document, and a tag for each release before 1.2.0. */
async function exampleFolder(): Promise<string> {
  const registry = await startRegistry();
  onTestFinished(() => registry.stop());
  const folder = temporaryFolder();
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: folder });
  git('init', '-q');
  writeFileSync(join(folder, 'mender-bake.yaml'), blockWith('group:'));
  for (const name of ['shop', 'till']) mkdirSync(join(folder, name));
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    for (const name of ['shop', 'till']) {
      const index = buildIndex(['amd64', 'arm64'].map((one) => imageOf(name, one, version)));
      await push(registry.host, name, version, index);
      writeFileSync(
        join(folder, name, 'compose.yaml'),
        `name: ${name}\nservices:\n  web: {image: "${registry.host}/${name}:${version}", environment: {SITE: "\${SITE:-}"}}\n`,
      );
      writeFileSync(join(folder, name, 'VERSION'), `${version}\n`);
    }
    git('add', '.');
    git('commit', '-q', '-m', version);
    git('tag', version);
  }
  return folder;
}

/** The first two columns of a table: target and artifact. */
const columns = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/).slice(0, 2));

it('docs/bake.md shows what its example builds', async () => {
  const folder = await exampleFolder();
  const { code, stdout, stderr } = await runCli(['bake'], { HOME: folder }, folder);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  expect(columns(stdout)).toEqual(columns(blockWith('target  ')));
});

// Builds of 20, 100 and 300 services, each with a tiny image of its own: the first build, one with
// nothing changed, and one in which every image changed.
//
//   scripts/bench growth [SERVICES..]
//
// Needs time (Debian package). The registry runs in this process.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addServices, serviceLines } from '../../test/helpers/manyServices.ts';
import { startMisbehavingRegistry } from '../../test/helpers/misbehaving-registry.ts';
import type { MisbehavingRegistry } from '../../test/helpers/misbehaving-registry.ts';
import type { GrowthFigures } from './figures.ts';
import { ROOT, saveFigures } from './report.ts';
import { timedBeside } from './timed.ts';

const tool = join(ROOT, 'bin/mender-docker-delta.js');
const folder = join(ROOT, '.bench');
const given = process.argv.slice(2).map(Number);

/** Runs a build under GNU time. */
async function build(
  version: string,
  tag: string,
  { seen }: MisbehavingRegistry,
): Promise<GrowthFigures['first']> {
  const before = seen.length;
  const words = ['-m', 'bench', '-t', 'qemu', '-p', 'linux/amd64', '--module', 'app', '--writer', 'embedded'];
  const where = ['--no-upload', '-q', '--artifact-version', version, '-a', `${version}.mender`];
  const command = [process.execPath, tool, 'build', 'compose.yaml', ...words, ...where];
  const env = { ...process.env, TAG: tag, XDG_CACHE_HOME: join(folder, 'cache') };
  const figures = await timedBeside(command, { cwd: folder, env });
  return { ...figures, requests: seen.length - before };
}

async function measure(services: number): Promise<GrowthFigures> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const registry = await startMisbehavingRegistry();
  try {
    addServices(registry, services);
    const lines = serviceLines(registry.host, services).map((line) => `  ${line}\n`);
    writeFileSync(join(folder, 'compose.yaml'), `services:\n${lines.join('')}`);
    return {
      services,
      first: await build('1.0', '1', registry),
      again: await build('1.1', '1', registry),
      delta: await build('2.0', '2', registry),
    };
  } finally {
    await registry.stop();
  }
}

const figures: GrowthFigures[] = [];
for (const services of given.length > 0 ? given : [20, 100, 300]) {
  figures.push(await measure(services));
  saveFigures('growth', figures);
}

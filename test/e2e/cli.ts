import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Verification } from '../../src/pipeline/verify/verify.ts';
import type { Module } from '../../src/mender/spec.ts';
import { archiveImage, archiveIndex } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { NO_NETWORK, nameOf } from './suite.ts';
import { DEVICE_TYPE, PROJECT } from './pack.ts';

export interface Release {
  version: string;
  module: Module;
  services: Services;
  /** Artifact that the devices have: a delta against it is built. */
  base?: string;
}

/**
 * Builds a release as a user does, from a manifest and image archives; returns the artifact's path.
 */
export async function buildRelease(folder: string, release: Release): Promise<string> {
  const { version, module, services, base } = release;
  const home = join(folder, `${module}-${version}`);
  mkdirSync(home, { recursive: true });
  const lines = Object.entries(services).map(
    ([service, { name }]) => `  ${service}:\n    image: ${nameOf(name)}\n${NO_NETWORK}`,
  );
  writeFileSync(join(home, 'compose.yaml'), `services:\n${lines.join('')}`);
  const files: string[] = [];
  for (const [service, image] of Object.entries(services)) {
    const archive = service === 'platforms' ? archiveIndex : archiveImage;
    await archive(image, join(home, `${service}.tar`));
    files.push('-f', `${service}=${service}.tar`);
  }
  const artifact = join(home, 'release.mender');
  const argv = [
    'build',
    'compose.yaml',
    '-t',
    DEVICE_TYPE,
    '-p',
    'linux/amd64',
    '-m',
    PROJECT,
    '-a',
    artifact,
  ];
  const choices = [
    '--artifact-version',
    version,
    '--module',
    module,
    '--mode',
    'offline',
    '--no-cache',
    '--cache-dir',
    join(folder, 'cache'),
  ];
  cli(
    [...argv, ...choices, ...files, ...(base === undefined ? ['--compression', 'gzip'] : ['--base', base])],
    home,
  );
  return artifact;
}

/** What `verify` says of a release; `base` as in `buildRelease`. */
export function verifyRelease(artifact: string, base?: string): Verification {
  const from = base === undefined ? [] : ['--base', base];
  const options = ['--cache-dir', join(dirname(artifact), 'verify'), '--json'];
  return JSON.parse(cli(['verify', artifact, ...from, ...options], dirname(artifact))) as Verification;
}

/** Runs a command, and returns its stdout. */
function cli(argv: string[], cwd: string): string {
  const program = resolve('bin/mender-docker-delta.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`mender-docker-delta ${argv.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}

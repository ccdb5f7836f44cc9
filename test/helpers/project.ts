import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from './cli.ts';
import type { CliRun } from './cli.ts';

/** A Compose project in `<folder>/shop`, with a cache of its own. */
export interface Project {
  folder: string;
  cache: string;
  artifact: (version: string) => string;
  /** `build` of a version, not uploaded, with `$TAG`; its exit code is the caller's to look at. */
  build: (version: string, tag: string, ...flags: string[]) => Promise<CliRun>;
  /** Any command line, with this project's cache. */
  cli: (...argv: string[]) => Promise<CliRun>;
}

/** Makes the project; each of `services` is a line of YAML. */
export function project(
  folder: string,
  services: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Project {
  const settings = 'x-mender: {device-type: qemu, platform: linux/amd64, module: app, writer: embedded}';
  const manifest = [settings, 'services:', ...services.map((service) => `  ${service}`), ''].join('\n');
  mkdirSync(join(folder, 'shop'));
  writeFileSync(join(folder, 'shop/compose.yaml'), manifest);
  const cache = join(folder, 'cache');
  const environment = { HOME: folder, MENDER_HELPER_CACHE_DIR: cache, ...more };
  const artifact = (version: string): string => join(folder, `${version}.mender`);
  const what = ['build', join(folder, 'shop'), '--no-upload', '--force', '--artifact-version'];
  return {
    ...{ folder, cache, artifact },
    build: (version, tag, ...flags) =>
      runCli([...what, version, '-a', artifact(version), ...flags], { ...environment, TAG: tag }),
    cli: (...argv) => runCli(argv, environment),
  };
}

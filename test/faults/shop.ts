import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltImage } from '../helpers/images.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { runCli } from '../helpers/cli.ts';
import type { CliRun } from '../helpers/cli.ts';

/** Text that looks like a program: it compresses, and differs a little from release to release. */
export function program(seed: number, lines: number, changed = -1): Buffer {
  const line = (number: number): string =>
    `export const value_${number} = ${(seed * 7919 + number * 104729) % 1_000_003}; // ${number === changed ? 'changed' : ''}\n`;
  return Buffer.from(Array.from({ length: lines }, (_, number) => line(number)).join(''));
}

const base = { 'bin/tool': program(1, 3000), 'etc/os-release': Buffer.from('NAME=demo\n') };
const config = { 'etc/app.conf': Buffer.from('verbose=no\n'.repeat(200)) };
/** Release by tag: an unchanged layer, one that changes, and an unchanged one behind it. */
export const RELEASES: Readonly<Record<string, BuiltImage>> = {
  '1': buildImage({ layers: [base, { 'app/main.js': program(2, 3000) }, config] }),
  '2': buildImage({ layers: [base, { 'app/main.js': program(2, 3000, 1500) }, config] }),
  '3': buildImage({ layers: [base, { 'app/main.js': program(2, 3000, 700) }, config] }),
  /** Shares nothing with the others. */
  other: buildImage({ layers: [{ 'bin/other': program(9, 900) }, { 'app/main.js': program(8, 3000) }] }),
};

/** An application with one service, whose image comes from archives. */
export interface Shop {
  folder: string;
  /** `cli build` of a release, `<folder>/<version>.mender`; its exit code is the caller's to look at. */
  build: (version: string, release: string, ...flags: string[]) => Promise<CliRun>;
  artifact: (version: string) => string;
  archive: (release: string) => string;
  /** Any command line, with this application's cache. */
  cli: (...argv: string[]) => Promise<CliRun>;
  cache: string;
}

export function shop(folder: string): Shop {
  mkdirSync(join(folder, 'shop'));
  for (const [tag, image] of Object.entries(RELEASES)) {
    writeOciArchive(join(folder, `${tag}.tar`), { [`example.com/shop/web:${tag}`]: image });
  }
  writeFileSync(
    join(folder, 'shop/compose.yaml'),
    [
      'x-mender: {device-type: qemu, platform: linux/amd64, writer: embedded}',
      'services:',
      '  web: {image: "example.com/shop/web:${TAG:-1}"}',
      '',
    ].join('\n'),
  );
  const cache = join(folder, 'cache');
  const artifact = (version: string): string => join(folder, `${version}.mender`);
  const archive = (release: string): string => join(folder, `${release}.tar`);
  const environment = { HOME: folder, MENDER_HELPER_CACHE_DIR: cache };
  return {
    ...{ folder, artifact, archive, cache },
    build: (version, release, ...flags) =>
      runCli(
        [
          ...[
            'build',
            join(folder, 'shop'),
            '--artifact-version',
            version,
            '--no-upload',
            '--mode',
            'offline',
          ],
          ...['-f', `web=${archive(release)}`, '-a', artifact(version), ...flags],
        ],
        { ...environment, TAG: release },
      ),
    cli: (...argv) => runCli(argv, environment),
  };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltImage } from '../helpers/images.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { runCli } from '../helpers/cli.ts';
import type { CliRun } from '../helpers/cli.ts';

/** Text that looks like a program: it compresses, and differs a little from release to release. */
function program(seed: number, lines: number, changed = -1): Buffer {
  const line = (number: number): string =>
    `export const value_${number} = ${(seed * 7919 + number * 104729) % 1_000_003}; // ${number === changed ? 'changed' : ''}\n`;
  return Buffer.from(Array.from({ length: lines }, (_, number) => line(number)).join(''));
}

/** Release by tag: an unchanged layer, one that changes, and an unchanged one behind it; `other` shares nothing with them. */
function releases(lines: number): Readonly<Record<string, BuiltImage>> {
  const base = { 'bin/tool': program(1, lines), 'etc/os-release': Buffer.from('NAME=demo\n') };
  const config = { 'etc/app.conf': Buffer.from('verbose=no\n'.repeat(200)) };
  const release = (changed?: number): BuiltImage =>
    buildImage({ layers: [base, { 'app/main.js': program(2, lines, changed) }, config] });
  const other = { 'bin/other': program(9, 900) };
  return {
    '1': release(),
    '2': release(1500),
    '3': release(700),
    other: buildImage({ layers: [other, { 'app/main.js': program(8, lines) }] }),
  };
}

const LINES = 3000;
export const RELEASES = releases(LINES);

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

/** Makes the archives and the manifest in `folder`; `lines` sets the size of the layers, 45 bytes each. */
export function shop(folder: string, lines = LINES): Shop {
  mkdirSync(join(folder, 'shop'));
  for (const [tag, image] of Object.entries(lines === LINES ? RELEASES : releases(lines))) {
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

import { join } from 'node:path';
import type { BuiltImage } from '../helpers/images.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { project } from '../helpers/project.ts';
import type { Project } from '../helpers/project.ts';

/** Text that looks like a program: it compresses, and differs a little from release to release. */
export function program(seed: number, lines: number, changed = -1): Buffer {
  const line = (number: number): string =>
    `export const value_${number} = ${(seed * 7919 + number * 104729) % 1_000_003}; // ${number === changed ? 'changed' : ''}\n`;
  return Buffer.from(Array.from({ length: lines }, (_, number) => line(number)).join(''));
}

/**
 * Release by tag: an unchanged layer, one that changes, and an unchanged one behind it; `other`
 * shares nothing with them.
 */
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

/**
 * An application with one service, whose image comes from archives; `build` is that of a release.
 */
export interface Shop extends Project {
  archive: (release: string) => string;
}

/**
 * Makes the archives and the manifest in `folder`; `lines` sets the size of the layers, 45 bytes
 * each.
 */
export function shop(folder: string, lines = LINES): Shop {
  const made = project(folder, ['web: {image: "example.com/shop/web:${TAG:-1}"}']);
  const archive = (release: string): string => join(folder, `${release}.tar`);
  for (const [tag, image] of Object.entries(lines === LINES ? RELEASES : releases(lines))) {
    writeOciArchive(archive(tag), { [`example.com/shop/web:${tag}`]: image });
  }
  const build: Shop['build'] = (version, release, ...flags) =>
    made.build(version, release, '--mode', 'offline', '-f', `web=${archive(release)}`, ...flags);
  return { ...made, archive, build };
}

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestImage, TestLayer } from '../mender/onDevice/images.ts';
import { edited, imageOf, layerAt, layerOf, noise } from '../mender/onDevice/images.ts';
import { HOME } from './device.ts';

/** Services and the images they run, in one version of an application. */
export type Services = Record<string, TestImage>;

const BUSYBOX = join(HOME, 'rootfs/usr/bin/busybox');
const DIGEST = `sha256:${'5'.repeat(63)}`;

/** The layer that every image begins with: one program that does it all. */
export async function baseLayer(folder: string, release = '1'): Promise<TestLayer> {
  if (!existsSync(BUSYBOX))
    throw new Error(
      'there is no test device: run scripts/device/build as root, or the tests with SKIP_DEVICE=1',
    );
  return layerOf(folder, { 'bin/busybox': readFileSync(BUSYBOX), 'etc/release': release });
}

/**
 * Hard and symbolic links, long names, a whiteout, an opaque folder, a device node, an extended
 * attribute, a setuid bit.
 */
function specialLayer(folder: string, version: number): TestLayer {
  const root = join(folder, `special-${version}`);
  const long = join('long', 'x'.repeat(120), 'y'.repeat(150));
  for (const path of ['gone', 'opaque', 'dev2', long]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'first'), edited(noise(70, 40_000), version));
  writeFileSync(join(root, long, 'z'.repeat(100)), `version ${version}`);
  writeFileSync(join(root, 'gone/.wh.file'), '');
  writeFileSync(join(root, 'opaque/.wh..wh..opq'), '');
  execFileSync(
    'sh',
    [
      '-ec',
      'ln first second; ln -s first third; mknod dev2/null c 1 3; chmod 4755 first; touch -d @1000000000 *',
    ],
    { cwd: root },
  );
  const path = join(folder, `special-${version}.tar`);
  const attribute = '--pax-option=delete=atime,delete=ctime,SCHILY.xattr.user.test=value';
  execFileSync('tar', [
    '--format=pax',
    attribute,
    '--sort=name',
    '--mtime=@1000000000',
    '--numeric-owner',
    '-cf',
    path,
    '-C',
    root,
    'dev2',
    'first',
    'gone',
    'long',
    'opaque',
    'second',
    'third',
  ]);
  return layerAt(path);
}

/** One application in version 1, 2 or 3: each service is one way in which an image can change. */
export async function application(folder: string, version: number): Promise<Services> {
  const base = await baseLayer(folder);
  const grown = (name: string, seed: number, release = version) =>
    layerOf(folder, {
      [name]: release === 1 ? noise(seed, 120_000) : edited(noise(seed, 120_000), seed * 10 + release),
    });
  const [a, b, c] = [await grown('a', 1, 1), await grown('b', 2, 1), await grown('c', 3, 1)];
  const at = <T>(...choices: T[]): T => choices[version - 1]!;
  const moved = { [at('usr/old', 'srv/new', 'srv/newer')]: noise(30, 90_000) };
  const doomed = await layerOf(folder, { 'gone/file': 'x', 'opaque/file': 'x' });
  const shared = imageOf(`team/shared:${version}`, [base, a, await grown('s', 9)]);
  const services: Services = {
    first: imageOf(`first:${version}`, [await baseLayer(folder, String(version)), a, b]),
    middle: imageOf(`middle:${version}`, [base, a, await grown('m', 4), b]),
    last: imageOf(`last:${version}`, [base, a, await grown('l', 5)]),
    more: imageOf(`more:${version}`, at([base, a], [base, a, b], [base, a, b, c])),
    fewer: imageOf(`fewer:${version}`, at([base, a, b, c], [base, a, c], [base])),
    'shared-1': shared,
    'shared-2': shared,
    moving: imageOf(`moving:${version}`, [base, await layerOf(folder, moved)]),
    special: imageOf(`special:${version}`, [base, doomed, specialLayer(folder, version)]),
    repeated: imageOf(`repeated:${version}`, at([base, a, base], [base, a, base, a], [base, b, base, b])),
    untagged: imageOf('untagged', [base, await grown('u', 6)]),
    digest: imageOf(`pinned@${DIGEST}${version}`, [base, await grown('d', 7)]),
    both: imageOf(`pinned:tag@${DIGEST}${version}`, [base, await grown('t', 8), a]),
    port: imageOf(`localhost:5000/team/port:${version}`, [base, await grown('p', 10)]),
    'tag-moved': imageOf('stable:1', [base, await grown('v', 11)]),
    platforms: imageOf(`platforms:${version}`, [base, await grown('i', 13)]),
    unchanged: imageOf('unchanged:1', [base, c]),
  };
  if (version === 1) services['removed'] = imageOf('removed:1', [base, c, b]);
  else services['added'] = imageOf(`added:${version}`, [base, await grown('n', 12)]);
  return services;
}

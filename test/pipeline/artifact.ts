import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/oci/digest.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

/** An artifact of module `app`, unpacked with the tools that a device has. */
export interface Unpacked {
  /** Name on the device -> its folder with the unpacked image.img. */
  images: Map<string, string>;
  isDelta: (name: string) => boolean;
  currentOf: (name: string) => string;
  manifest: string;
}

const tar = (args: string[], folder: string): void => void execFileSync('tar', args, { cwd: folder });

/**
 * Unpacks an artifact as the update client and its module do; fails where mender-artifact does not
 * accept it.
 */
export function unpackArtifact(path: string): Unpacked {
  requireTool('mender-artifact');
  requireTool('xz', 'xz-utils');
  execFileSync('mender-artifact', ['validate', path], { stdio: 'pipe' });
  execFileSync('mender-artifact', ['read', path], { stdio: 'pipe' });
  const folder = temporaryFolder();
  tar(['-xf', path], folder);
  const data = readdirSync(join(folder, 'data'))[0]!;
  tar(['-xf', join('data', data)], folder);
  tar(['-xzf', 'manifests.tar.gz'], folder);
  tar(['-xzf', 'images.tar.gz'], folder);
  const folders = new Map(
    readdirSync(join(folder, 'images')).map((id) => unpackImage(join(folder, 'images', id))),
  );
  const read = (name: string, file: string): string =>
    readFileSync(join(folders.get(name)!, '..', file), 'utf8').trim();
  return {
    images: folders,
    isDelta: (name) => readdirSync(join(folders.get(name)!, '..')).includes('deep_delta'),
    currentOf: (name) => read(name, 'url-current.txt'),
    manifest: readFileSync(join(folder, 'manifests/docker-compose.yaml'), 'utf8'),
  };
}

function unpackImage(folder: string): [string, string] {
  const name = readFileSync(join(folder, 'url-new.txt'), 'utf8').trim();
  const target = join(folder, 'unpacked');
  execFileSync('mkdir', [target]);
  tar(['-xf', join(folder, 'image.img')], target);
  return [name, target];
}

/**
 * Rebuilds an image as a device does: layers from `base` (the unpacked image that it has) with the
 * stock xdelta3. Returns the diffIDs of all its layers, base first; throws where a layer is missing
 * or is not what its name says.
 */
export function rebuild(image: string, base: string | undefined): string[] {
  requireTool('xdelta3');
  const blobs = join(image, 'blobs/sha256');
  for (const file of readdirSync(blobs).filter((name) => name.endsWith('.vcdiff'))) {
    const target = join(blobs, file.replace('.vcdiff', ''));
    const source = readFileSync(`${target}.source`, 'utf8');
    execFileSync('xdelta3', ['-d', '-f', '-s', join(base!, source), join(blobs, file), target], {
      stdio: 'pipe',
    });
  }
  const [{ Layers }] = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8')) as [
    { Layers: string[] },
  ];
  return Layers.map((path) => {
    if (!readdirSync(blobs).includes(path.split('/').at(-1)!))
      execFileSync('cp', [join(base!, path), join(image, path)]);
    const found = digestOf(readFileSync(join(image, path)));
    if (!path.endsWith(found.slice(7))) throw new Error(`${path} has the digest ${found}`);
    return found;
  });
}

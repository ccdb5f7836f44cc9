import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { expect } from 'vitest';
import { composePayload } from '../../../src/mender/write/composePayload.ts';
import type { TarFile } from '../../../src/tar/tar.ts';
import { tarStream } from '../../../src/tar/tar.ts';
import { deltaPayload } from '../../../src/mender/onDevice/payload.ts';
import { stateScripts } from '../../../src/mender/onDevice/stateScript.ts';
import type { PayloadImage } from '../../../src/mender/payload.ts';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { blobPath, portableManifestDigest } from '../../../src/oci/portable.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import type { TestImage } from './images.ts';
import { PLATFORM, archiveImage, edited, imageOf, layerOf, noise, payloadOf } from './images.ts';

type State =
  'ArtifactInstall_Enter' | 'ArtifactRollback_Enter' | 'ArtifactRollback_Leave' | 'ArtifactCommit_Leave';
type Store = 'classic' | 'containerd';

const scriptOf = (state: State) => stateScripts().find(({ name }) => name.startsWith(state))!;
export const DOCKER = resolve(import.meta.dirname, 'fakeDocker.sh');
export const BLOBS = 'containerd/io.containerd.content.v1.content/blobs/sha256';
const CHAINS = 'root/image/overlay2/layerdb/sha256';
const APPLETS =
  'cat chmod cp cut dd df echo grep gzip head ln mkdir mv printf rm sed sh sha256sum sleep sort sync tail tar tr uname wc'.split(
    ' ',
  );

/** A device in a folder: its paths, its tools, a Docker of files. */
export class Device {
  readonly folder = temporaryFolder();
  readonly tree = join(this.folder, 'var/lib/mender/modules/v3/payloads/0000/tree');
  readonly store = join(this.folder, 'data/mender-docker-compose');
  readonly docker = join(this.folder, 'docker');
  readonly tools = join(this.folder, 'bin');
  readonly shell: string[];
  readonly kind: Store;

  constructor(shell: 'dash' | 'busybox ash' | 'bash --posix', kind: Store) {
    requireTool('dash');
    requireTool('busybox', 'busybox-static');
    requireTool('xdelta3');
    this.shell = shell.split(' ');
    this.kind = kind;
    const folders = [join(this.tree, 'files'), join(this.store, 'current'), this.tools];
    const stores = [join(this.docker, BLOBS), join(this.docker, CHAINS), join(this.folder, 'etc/containerd')];
    for (const folder of [...folders, ...stores]) mkdirSync(folder, { recursive: true });
    if (kind === 'containerd') this.set('containerd-store');
    this.write('etc/containerd/config.toml', `version = 2\nroot = "${this.docker}/containerd"\n`);
    writeFileSync(join(this.store, 'current/project_name'), 'old');
    for (const tool of APPLETS) this.link(tool, shell === 'busybox ash' ? which('busybox') : which(tool));
    this.link('xdelta3', which('xdelta3'));
    this.link('docker', DOCKER);
  }

  link(tool: string, target: string): void {
    symlinkSync(target, join(this.tools, tool));
  }

  write(path: string, text: string): void {
    rmSync(join(this.folder, path), { force: true }); // a tool is a link to that of this machine
    writeFileSync(join(this.folder, path), text);
    chmodSync(join(this.folder, path), 0o755);
  }

  /** Switches a behaviour of its Docker on. */
  set(behaviour: string): void {
    writeFileSync(join(this.docker, behaviour), '');
  }

  /** Names and IDs of its images. */
  images(): Record<string, string> {
    const list = join(this.docker, 'images');
    const lines = existsSync(list) ? readFileSync(list, 'utf8').split('\n') : [];
    return Object.fromEntries(lines.filter(Boolean).map((line) => line.split(' ') as [string, string]));
  }

  idOf(image: TestImage): string {
    const parsed = payloadOf('x', image, undefined, this.folder);
    return this.kind === 'containerd' ? portableManifestDigest(parsed) : digestOf(image.config);
  }

  /** Puts an image into its Docker as if it had been loaded. */
  async hold(image: TestImage): Promise<void> {
    const id = this.idOf(image);
    const images = Object.entries({ ...this.images(), [image.name]: id });
    writeFileSync(join(this.docker, 'images'), images.map((names) => `${names.join(' ')}\n`).join(''));
    await archiveImage(image, join(this.docker, `${id.slice(7)}.tar`));
    let chain = '';
    for (const { diffID, path } of image.layers) {
      chain = chain === '' ? diffID : digestOf(`${chain} ${diffID}`);
      if (this.kind === 'classic') mkdirSync(join(this.docker, CHAINS, chain.slice(7)), { recursive: true });
      else copyFileSync(path, join(this.docker, BLOBS, hexOf(diffID)));
    }
    writeFileSync(join(this.docker, BLOBS, id.slice(7)), '{}');
  }

  receive(images: PayloadImage[], decoder?: Uint8Array): Promise<void> {
    return this.pack(deltaPayload(images, undefined, decoder));
  }

  /** A full artifact, which the module could load as well. */
  async receiveWhole(images: PayloadImage[]): Promise<void> {
    const spec = { images, manifests: [], platform: PLATFORM, module: 'docker-compose', preload: true };
    const { files } = composePayload(spec as never);
    const [{ body }] = files.filter(({ path }) => path === 'images.tar.gz') as [TarFile];
    await pipeline(body as () => AsyncIterable<Uint8Array>, createWriteStream(this.payload));
  }

  async pack(entries: TarFile[]): Promise<void> {
    await pipeline(tarStream(entries), createGzip({ level: 0 }), createWriteStream(this.payload));
  }

  get payload(): string {
    return join(this.tree, 'files/images.tar.gz');
  }

  command(state: State = 'ArtifactInstall_Enter'): {
    file: string;
    arguments: string[];
    env: Record<string, string>;
  } {
    const script = scriptOf(state);
    const text = script.content.replaceAll(/\/(var\/lib|etc|data)\//g, `${this.folder}/$1/`);
    this.write(script.name, text);
    const [file = '', ...rest] = this.shell;
    const env = { PATH: this.tools, DOCKER_STORE: this.docker, DOCKER_TOOLS: process.env['PATH']! };
    return { file: which(file), arguments: [...rest, join(this.folder, script.name)], env };
  }

  /** What the script says; it never fails, and leaves no working files. */
  run(state?: State): string {
    const { file, arguments: argv, env } = this.command(state);
    const { status, stderr } = spawnSync(file, argv, { env, encoding: 'utf8', cwd: '/' });
    expect(status, stderr).toBe(0);
    expect(readdirSync(this.tree)).toEqual(['files']);
    return stderr;
  }

  /**
   * Runs the installation, and kills it before or after this call of Docker. Returns false if it
   * ends before that.
   */
  runUntil(side: 'before' | 'after', call: number): boolean {
    const kill = `[ $(wc -l < ${this.docker}/calls) != ${call} ] || kill -9 0`;
    const [before, after] = side === 'after' ? [':', kill] : [kill, ':'];
    const lines = ['#!/bin/sh', `echo >> ${this.docker}/calls`, before, `${DOCKER} "$@"`, 'status=$?', after];
    this.write('bin/docker', [...lines, 'exit $status', ''].join('\n'));
    const { file, arguments: argv, env } = this.command();
    const { signal } = spawnSync('setsid', ['--wait', file, ...argv], {
      env: { ...env, PATH: `${env['PATH']}:/usr/bin` },
      cwd: '/',
    });
    rmSync(join(this.tools, 'docker'));
    this.link('docker', DOCKER);
    return signal !== null;
  }

  /** Docker does not answer this call of those that begin so, which are counted from 0. */
  failOnce(start: string, call: number): void {
    this.breakAfter(start, call, `[ "$left" -ne 0 ]`);
  }

  /** Docker stops answering after this many calls that begin so. */
  breakAfter(start: string, calls: number, works = '[ "$left" -gt 0 ]'): void {
    const [left, broken] = [join(this.docker, 'left'), join(this.docker, 'broken')];
    writeFileSync(left, String(calls));
    const lines = [
      `read -r left < ${left}`,
      `case "$*" in '${start}'*)`,
      `echo $((left - 1)) > ${left}`,
      `${works} || { : > ${broken}; echo 'Cannot connect to the Docker daemon' >&2; exit 1; } ;; esac`,
      `exec ${DOCKER} "$@"`,
    ];
    this.write('bin/docker', ['#!/bin/sh', ...lines, ''].join('\n'));
  }

  /** Docker answers again. Returns true if it had stopped. */
  mend(): boolean {
    rmSync(join(this.tools, 'docker'));
    this.link('docker', DOCKER);
    const broken = join(this.docker, 'broken');
    const isBroken = existsSync(broken);
    rmSync(broken, { force: true });
    return isBroken;
  }

  /** What the module does when it has rolled back, as far as the script sees it. */
  moveBack(): void {
    execFileSync('mv', [join(this.store, 'previous'), join(this.store, 'current')]);
  }

  /** What the client and the module do when the client was killed: they roll back. */
  undo(): void {
    rmSync(join(this.tree, 'mender-docker-delta'), { recursive: true, force: true });
    this.run('ArtifactRollback_Enter');
    if (this.moved().includes('previous')) this.moveBack();
    this.run('ArtifactRollback_Leave');
  }

  moved(): string[] {
    return readdirSync(this.store);
  }

  /** Paths in each tar that its Docker has loaded, by the image's name. */
  loads(): Record<string, string[]> {
    const log = join(this.docker, 'loads');
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    return Object.fromEntries(lines.map((line) => [line.split(' ')[0]!, line.split(' ').slice(1)]));
  }

  /** Images that were saved, to read base layers. */
  saves(): string[] {
    const log = join(this.docker, 'saves');
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  }

  /** Paths in the tar of an image that the module gets. */
  loadable(name: string): string[] {
    const folder = temporaryFolder();
    execFileSync('tar', ['-xzf', this.payload, '-C', folder]);
    return execFileSync('tar', ['-tf', join(folder, `images/${name}.tar`)], { encoding: 'utf8' })
      .trim()
      .split('\n');
  }

  /** A folder with the files of a tar that the module gets. */
  unpacked(name: string): string {
    const folder = temporaryFolder();
    execFileSync('tar', ['-xzf', this.payload, '-C', folder]);
    execFileSync('tar', ['-xf', join(folder, `images/${name}.tar`), '-C', folder]);
    return folder;
  }

  refused(): string {
    return readFileSync(this.payload, 'latin1');
  }
}

const found = new Map<string, string>();

export function which(tool: string): string {
  const path =
    found.get(tool) ?? execFileSync('sh', ['-c', 'command -v "$0"', tool], { encoding: 'utf8' }).trim();
  found.set(tool, path);
  return path;
}

const CODE = noise(1, 200_000);
const DATA = noise(2, 90_000);
const BASE = noise(3, 50_000);

export async function versions(folder: string): Promise<{ v1: TestImage; v2: TestImage }> {
  const base = await layerOf(folder, { 'bin/busybox': BASE });
  const old = [base, await layerOf(folder, { code: CODE }), await layerOf(folder, { data: DATA })];
  const v1 = imageOf('app:1', old);
  const v2 = imageOf('app:2', [
    base,
    await layerOf(folder, { code: edited(CODE, 4) }),
    await layerOf(folder, { data: edited(DATA, 5) }),
    await layerOf(folder, { more: 'text' }),
  ]);
  return { v1, v2 };
}

export const blobsOf = (image: TestImage, from = 0) =>
  image.layers.slice(from).map(({ diffID }) => blobPath(diffID));
export const held = (paths: string[] = [], wanted: string[]) => wanted.filter((path) => paths.includes(path));
export const SMALL = [
  expect.stringMatching(/^blobs/),
  expect.stringMatching(/^blobs/),
  'index.json',
  'manifest.json',
  'oci-layout',
];

/** Each shell and each store once: what depends on one does not depend on the other. */
export const DEVICES = [
  ['dash', 'classic'],
  ['busybox ash', 'containerd'],
] as const;

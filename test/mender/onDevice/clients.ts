import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import type { TestImage } from './images.ts';
import { archiveImage, payloadOf } from './images.ts';
import { BLOBS, DOCKER, Device } from './scriptDevice.ts';

const MODULES = resolve(import.meta.dirname, '../../../scripts/device/modules');

/** A Compose without containers: it notes which images run, under which names. */
const COMPOSE = String.raw`#!/bin/sh
names=$(sed -n 's/^ *image: *//p' *.yaml)
case $* in
  *' config --images') echo "$names" ;;
  *' down') : > "$DOCKER_STORE/running" ;;
  *' up --detach')
    for name in $names; do
      id=$(docker image inspect --format '{{.Id}}' "$name") && echo "$name $id" || exit 1
    done > "$DOCKER_STORE/starting" && mv "$DOCKER_STORE/starting" "$DOCKER_STORE/running" ;;
esac
`;

type Generation = '2025-10' | '2026-08' | '2026-09';
type Call = 'ArtifactInstall' | 'ArtifactCommit' | 'ArtifactRollback' | 'Cleanup';

/**
 * Modules of August 2026 have the folders of those of September, and the IDs and deletions of those
 * before.
 */
function moduleText(generation: Generation): string {
  const folder = generation === '2025-10' ? generation : 'v3';
  const text = readFileSync(join(MODULES, folder, 'docker-compose'), 'utf8');
  if (generation !== '2026-08') return text;
  const [named, forced] = ['print $1, $2;', 'docker rmi --force'];
  expect(text.includes(named) && text.includes(forced)).toBe(true);
  return text.replace(named, 'print $2;').replace(forced, 'docker rmi');
}

/** A client with an update module, on a device of files. Each of its steps is one of the client. */
export class Client {
  readonly device: Device;
  private readonly tools: string;

  constructor(generation: Generation, ...[shell, store]: ConstructorParameters<typeof Device>) {
    this.device = new Device(shell, store);
    this.tools = join(this.device.folder, 'module');
    mkdirSync(this.tools);
    rmSync(join(this.device.store, 'current'), { recursive: true });
    symlinkSync(DOCKER, join(this.tools, 'docker'));
    const text = moduleText(generation)
      .replaceAll(/\/(etc|data)\//g, `${this.device.folder}/$1/`)
      .replace('WAIT_TIMEOUT=120', 'WAIT_TIMEOUT=2');
    for (const [name, content] of Object.entries({ module: text, 'docker-compose': COMPOSE })) {
      writeFileSync(join(this.tools, name), content);
      chmodSync(join(this.tools, name), 0o755);
    }
    writeFileSync(join(this.device.docker, 'running'), '');
  }

  /** Calls the module; true if that ends well. */
  call(state: Call): boolean {
    const { folder, tree, docker } = this.device;
    for (const made of ['header', 'tmp']) mkdirSync(join(tree, made));
    writeFileSync(join(tree, 'header/meta-data'), JSON.stringify({ version: '1', project_name: 'shop' }));
    const env = {
      PATH: `${this.tools}:${process.env['PATH']}`,
      DOCKER_STORE: docker,
      DOCKER_TOOLS: process.env['PATH']!,
    };
    const { status } = spawnSync(join(this.tools, 'module'), [state, tree], { env, cwd: folder });
    for (const made of ['header', 'tmp']) rmSync(join(tree, made), { recursive: true });
    return status === 0;
  }

  /** Receives an artifact of these images, made from the others, or a full one. */
  async receive(images: TestImage[], base?: TestImage[]): Promise<void> {
    const { device } = this;
    const payloads = images.map((image, at) => payloadOf(String(at), image, base?.[at], device.folder));
    await (base === undefined ? device.receiveWhole(payloads) : device.receive(payloads));
    const manifests = join(device.folder, 'manifests');
    mkdirSync(manifests, { recursive: true });
    const services = images.map(({ name }, at) => `  s${at}:\n    image: ${name}\n`);
    writeFileSync(join(manifests, 'compose.yaml'), `services:\n${services.join('')}`);
    const tar = join(device.tree, 'files/manifests.tar');
    execFileSync('tar', ['--format=ustar', '-cf', tar, '-C', device.folder, 'manifests']);
  }

  /** True if the new application runs. */
  async install(images: TestImage[], base?: TestImage[]): Promise<boolean> {
    await this.receive(images, base);
    this.device.run('ArtifactInstall_Enter');
    for (const image of images) await this.makeReadable(image);
    return this.call('ArtifactInstall');
  }

  /** Its Docker can't save what it has loaded, unless it has the tar. */
  private async makeReadable(image: TestImage): Promise<void> {
    const id = this.device.idOf(image).slice(7);
    await archiveImage(image, join(this.device.docker, `${id}.tar`));
    writeFileSync(join(this.device.docker, BLOBS, id), '{}');
  }

  commit(): void {
    expect(this.call('ArtifactCommit')).toBe(true);
    this.device.run('ArtifactCommit_Leave');
    this.call('Cleanup');
  }

  rollBack(): void {
    this.device.run('ArtifactRollback_Enter');
    expect(this.call('ArtifactRollback')).toBe(true);
    this.device.run('ArtifactRollback_Leave');
    this.call('Cleanup');
  }

  /** Names and IDs of what runs. */
  running(): Record<string, string> {
    const path = join(this.device.docker, 'running');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    return Object.fromEntries(lines.filter(Boolean).map((line) => line.split(' ') as [string, string]));
  }

  /** Names and IDs as Docker has them of these images. */
  named(images: TestImage[]): Record<string, string> {
    return Object.fromEntries(images.map((image) => [image.name, this.device.idOf(image)]));
  }
}

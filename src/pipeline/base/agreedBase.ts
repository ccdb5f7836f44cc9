import { UsageError } from '../../errors.ts';
import type { Baseline } from './baseImages.ts';
import type { ServerArtifacts } from './serverArtifacts.ts';

type Find = (server: ServerArtifacts) => Promise<Baseline | undefined>;

/**
 * Returns the base that `find` finds on all servers. A server that the user may not read has no
 * say. Throws what `agreedBase` throws.
 */
export async function deployedBase(
  servers: readonly ServerArtifacts[],
  find: Find,
): Promise<Baseline | undefined> {
  const found: ServerBase[] = [];
  for (const server of servers) {
    const base = await find(server);
    if (!server.isDenied) found.push({ name: server.name, base });
  }
  return agreedBase(found);
}

/**
 * Returns the base that `find` finds on some of the servers, and a server that has it. Throws what
 * `agreedBase` throws.
 */
export async function recordedBase(
  servers: readonly ServerArtifacts[],
  find: Find,
): Promise<{ name: string; base: Baseline } | undefined> {
  const found: { name: string; base: Baseline }[] = [];
  for (const server of servers) {
    const base = await find(server);
    if (base !== undefined) found.push({ name: server.name, base });
  }
  agreedBase(found);
  return found[0];
}

/** What a server says that its devices have; undefined if no deployment there was a success. */
export interface ServerBase {
  /** The server, for people. */
  name: string;
  base: Baseline | undefined;
}

/**
 * Returns the base that all of the servers say, or undefined if no server says one. Throws
 * UsageError if they differ: one artifact goes to all of them, and a delta installs only on its own
 * base. Pure.
 */
export function agreedBase(found: readonly ServerBase[]): Baseline | undefined {
  const [first] = found;
  if (new Set(found.map(({ base }) => contentOf(base))).size <= 1) return first?.base;
  throw new UsageError(`the servers of the destinations have different bases: ${textOf(found)}`, {
    hint: ({ option }) =>
      `build for each account by itself with --account, name the base with ${option('base')}, or ship everything with ${option('delta', 'false')}`,
  });
}

/** Equal for bases that one delta fits: of one version, images and kind of artifact. */
function contentOf(base: Baseline | undefined): string {
  if (base === undefined) return '';
  const { version, module, softwareFilesystem, services } = base.metadata;
  const images = Object.entries(services).map(([service, { image }]) => `${service} ${image.hash}`);
  return JSON.stringify([version, module, softwareFilesystem, images.sort()]);
}

function textOf(found: readonly ServerBase[]): string {
  const versions = new Set(found.map(({ base }) => base?.metadata.version));
  if (versions.size > 1)
    return found.map(({ name, base }) => `${name}: ${base?.metadata.version ?? 'none'}`).join(', ');
  return `${found.map(({ name }) => name).join(', ')}: ${[...versions].join()}, but not the same artifact`;
}

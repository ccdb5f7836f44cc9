import type { Log } from '../../io/log.ts';
import { createClient } from '../client.ts';
import type { RegistryClient } from '../client.ts';
import type { Access } from '../authorization.ts';
import { originFinder } from '../endpoint.ts';
import type { RegistryOptions } from '../source.ts';

/** How files get into a registry, and out of it. */
export interface FilesContext {
  client: RegistryClient;
  log: Log;
  signal?: AbortSignal | undefined;
  /** Milliseconds before each repetition of a broken upload. */
  pausesMs?: readonly number[];
}

/** What a user needs of a registry. `keep` is about images. */
export type RegistryAccess = Omit<RegistryOptions, 'keep'>;

/** Opens registries for files. Sends nothing yet. `access`: what tokens are asked for. */
export function openFiles(options: RegistryAccess, access: Access, signal?: AbortSignal): FilesContext {
  const { insecureRegistries = [], log } = options;
  const client = createClient({
    ...options,
    insecureRegistries,
    origin: originFinder(insecureRegistries),
    access,
  });
  return { client, log, signal };
}

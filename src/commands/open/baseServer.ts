import { SERVER_SCHEME } from '../../pipeline/base/serverArtifacts.ts';
import type { NamedServer } from '../../pipeline/images/world.ts';
import type { Api } from '../../server/api.ts';
import type { BuildFlags } from '../options/build.ts';
import type { ServerFlags } from '../options/server.ts';
import { serverIfAny } from '../options/server.ts';
import type { Context } from '../terminal/command.ts';

/**
 * True if a run may ask the server for a base: its artifact goes there, or --base names an artifact
 * there. Pure.
 */
export function mayAskServer({ base = [] }: BuildFlags, goesThere: boolean): boolean {
  return goesThere || base.some((text) => text.includes(SERVER_SCHEME));
}

/**
 * Returns a function that opens the server of the flags at its first call, unless it is `opened`.
 * It returns no server if there is no token.
 */
export function serverFinder(
  flags: ServerFlags,
  context: Context,
  opened?: Api,
): () => Promise<NamedServer[]> {
  const find = async (): Promise<NamedServer[]> => {
    const api = opened ?? (await serverIfAny(flags, context));
    return api === undefined ? [] : [{ name: api.host, api }];
  };
  let found: Promise<NamedServer[]> | undefined;
  return () => (found ??= find());
}

import { UsageError } from '../../errors.ts';
import type { Library } from '../../library/client.ts';
import { libraryBase } from '../../library/client.ts';
import { findLibraryToken } from '../../library/token.ts';
import { warnOfClearText } from '../../server/host.ts';
import { sameHost } from '../../library/url.ts';
import type { Context } from '../terminal/command.ts';

/** How to reach a container library. */
export interface LibraryFlags {
  library?: string;
  tokenFile?: string;
}

/**
 * Opens the library of a reference: the library that the reference names, else the one of --library
 * or LIBRARY_URL. Sends the token to the library of --library or LIBRARY_URL only. Throws
 * UsageError if the reference has no host and no library is set up.
 */
export async function openLibrary(
  host: string | undefined,
  flags: LibraryFlags,
  context: Context,
): Promise<Library> {
  const token = await findLibraryToken(context.environment, flags.tokenFile);
  return libraryAt(host, flags, context, token);
}

/** Like `openLibrary`, with a given token. */
export function libraryAt(
  host: string | undefined,
  flags: LibraryFlags,
  { environment, http, log, signal }: Context,
  token: string | undefined,
): Library {
  const own = baseOf(flags.library ?? environment['LIBRARY_URL']);
  const named = baseOf(host);
  const base = hostIn(named) === hostIn(own) ? own : (named ?? own);
  if (base === undefined) {
    throw new UsageError('the reference names no library', {
      hint: 'set LIBRARY_URL, or write library://host/entity/collection/container',
    });
  }
  const isOwn = own !== undefined && sameHost(own, base);
  if (token !== undefined && !isOwn)
    log.debug(`${base}: asking without the token, which belongs to ${own ?? 'no library'}`);
  if (token !== undefined && isOwn) warnOfClearText(base, log);
  return { http, log, base, signal, ...(isOwn ? { token } : {}) };
}

function baseOf(address: string | undefined): string | undefined {
  return address === undefined || address === '' ? undefined : libraryBase(withScheme(address));
}

function hostIn(base: string | undefined): string | undefined {
  return base === undefined ? undefined : new URL(base).host;
}

/** Only a library on this machine is reached without TLS, unless its address says so. */
function withScheme(address: string): string {
  if (address.includes('://')) return address;
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(\/|$)/.test(address)
    ? `http://${address}`
    : `https://${address}`;
}

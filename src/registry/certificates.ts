import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Environment } from '../environment.ts';
import { UsageError, systemCodeOf } from '../errors.ts';
import type { Certificates } from '../http/message.ts';
import { fileError } from '../io/files.ts';
import { readUserFile } from '../io/readUserFile.ts';

/** Returns the certificates for a registry, or undefined if there are none. */
export type CertificateLookup = (registry: string) => Promise<Certificates | undefined>;

/**
 * Returns the folders in which Docker and podman keep certificates, each with a folder for a
 * registry.
 * https://docs.docker.com/engine/security/certificates/ and
 * https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md
 */
export function certificateFolders(environment: Environment, home: string): string[] {
  const config = environment['XDG_CONFIG_HOME'] || join(home, '.config');
  return [
    join(config, 'containers/certs.d'),
    join(home, '.config/docker/certs.d'),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
}

/**
 * Looks certificates up in the first of the folders that has some for the registry: `*.crt` are
 * authorities, trusted in addition to the usual ones, and `NAME.cert` with `NAME.key` shows who the
 * client is. Throws UsageError for a certificate without its key, or a file that can't be read.
 */
export function certificateLookup(folders: readonly string[]): CertificateLookup {
  const known = new Map<string, Promise<Certificates | undefined>>();
  return (registry) => {
    const found = known.get(registry) ?? findCertificates(folders, registry);
    known.set(registry, found);
    return found;
  };
}

async function findCertificates(
  folders: readonly string[],
  registry: string,
): Promise<Certificates | undefined> {
  for (const folder of folders.map((parent) => join(parent, registry))) {
    const names = (await namesIn(folder)).sort();
    const certificates = await readCertificates(folder, names);
    if (certificates !== undefined) return certificates;
  }
  return undefined;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')) return [];
    throw fileError(error, `reading ${folder}`);
  }
}

async function readCertificates(folder: string, names: readonly string[]): Promise<Certificates | undefined> {
  const authorities = names.filter((name) => name.endsWith('.crt'));
  const own = names.find((name) => name.endsWith('.cert'));
  if (authorities.length === 0 && own === undefined) return undefined;
  const read = (name: string): Promise<Buffer> => {
    const path = join(folder, name);
    return readUserFile(path, { doing: `reading ${path}` });
  };
  const ca = [...rootCertificates, ...(await Promise.all(authorities.map(read)))];
  if (own === undefined) return { ca };
  const key = own.replace(/\.cert$/, '.key');
  if (names.includes(key)) return { ca, cert: await read(own), key: await read(key) };
  throw new UsageError(`${join(folder, own)}: the key ${key} is missing next to it`, {
    hint: 'add the key, or remove the certificate',
  });
}

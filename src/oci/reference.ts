import { UsageError } from '../errors.ts';
import type { Digest } from './digest.ts';
import { isDigest } from './digest.ts';

/**
 * A normalized image reference.
 * https://github.com/distribution/reference/blob/main/reference.go has the grammar.
 */
export interface Reference {
  /** `docker.io`, `localhost:5000`, ... */
  registry: string;
  /** `library/busybox`, `team/app`, ... */
  repository: string;
  tag?: string;
  digest?: Digest;
}

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const REGISTRY = new RegExp(`^${DOMAIN}$`);
const TAG = /^[\w][\w.-]{0,127}$/;
const LONGEST_NAME = 255;
/** The grammar reserves this form for image IDs. */
const IDENTIFIER = /^[0-9a-f]{64}$/;

/**
 * Parses `[registry/]repository[:tag][@digest]` with Docker's defaults: registry docker.io, its
 * official images below `library/`, tag `latest` if neither tag nor digest is given. Throws
 * UsageError that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text)) throw invalid(text, 'it is the ID of an image, not a name');
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) throw invalid(text, 'it has more than one @');
  const { name, tag } = splitTag(named);
  const { registry, repository } = splitRegistry(name);
  check(text, registry, repository, tag, digest);
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
}

function splitTag(named: string): { name: string; tag?: string } {
  const colon = named.lastIndexOf(':');
  if (colon < 0 || named.includes('/', colon)) return { name: named };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1) };
}

function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isRegistry = /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  if (slash < 0 || !isRegistry) return dockerHub(name);
  const rest = name.slice(slash + 1);
  return first === 'docker.io' || first === 'index.docker.io'
    ? dockerHub(rest)
    : { registry: first, repository: rest };
}

function dockerHub(name: string): { registry: string; repository: string } {
  return { registry: 'docker.io', repository: name.includes('/') ? name : `library/${name}` };
}

function check(text: string, registry: string, repository: string, tag?: string, digest?: string): void {
  if (!isRegistryHost(registry)) throw invalid(text, `${JSON.stringify(registry)} is not a registry host`);
  if (!NAME.test(repository)) throw invalid(text, repositoryFault(repository));
  if (`${registry}/${repository}`.length > LONGEST_NAME) {
    throw invalid(text, `its name is longer than ${LONGEST_NAME}`);
  }
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, 'only sha256:<64 hex digits> follows the @');
  }
}

/** True for the registry part of a reference: `HOST` or `HOST:PORT`. */
export function isRegistryHost(text: string): boolean {
  return REGISTRY.test(text);
}

function repositoryFault(repository: string): string {
  if (repository === '' || repository === 'library/') return 'it has no repository name';
  if (repository !== repository.toLowerCase()) return 'repository names are lower case';
  return `${JSON.stringify(repository)} is not a repository name`;
}

/** What is before an `@` is a user and a password, unless a digest follows. */
function invalid(text: string, why: string): UsageError {
  const shown = /@(?!sha\d+:[^@]*$)/.test(text) ? text.replace(/^.*@/s, '***@') : text;
  return new UsageError(`invalid image reference ${JSON.stringify(shown)}: ${why}`, {
    hint: 'write it as [registry/]repository[:tag][@sha256:digest]',
  });
}

/** The short form that people and Docker use: `busybox:1.36`, `localhost:5000/app@sha256:...`. */
export function formatReference(reference: Reference): string {
  const { registry, repository } = reference;
  const name = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  return name + suffix(reference);
}

/** The short form of a reference that somebody wrote. Undefined for any other text. */
export function shortForm(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** True if both name the same repository at the same registry. */
export function sameRepository(a: Reference, b: Reference): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

/** The full form that containerd uses as a name: `docker.io/library/busybox:1.36`. */
export function canonicalReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

/**
 * Returns the name of an image on a device and in the shipped Compose file. It always has a tag and
 * never a digest, as no loaded image can match `name@digest`. Without a tag, one is made from the
 * digest.
 */
export function deviceReference(reference: Reference): Reference {
  const { registry, repository, tag, digest } = reference;
  const made = digest === undefined ? 'latest' : `sha256-${digest.slice('sha256:'.length)}`;
  return { registry, repository, tag: tag ?? made };
}

import type { Application } from '../../compose/application.ts';
import { interpolate, namesIn } from '../../compose/read/variables/template.ts';
import type { Variables } from '../../compose/read/variables/variables.ts';
import { asMapping, scalarText } from '../../compose/read/yaml/value.ts';
import { UsageError } from '../../errors.ts';

/** An image of an old commit, as its reference means it now. */
export interface ImageOfCommit {
  services: readonly string[];
  reference: string;
  /** When it was made, as its config says. */
  created?: string | undefined;
  /** Variables of this build that choose its tag or digest. */
  variables?: readonly string[];
  /** True if its reference has a digest, so that it always means this image. */
  isFixed?: boolean;
}

/**
 * Reproducible builds write a fixed time, most often 1970 or 1980. Docker did not exist before
 * 2013.
 */
const FIRST_BELIEVABLE = Date.parse('2013-01-01T00:00:00Z');

/**
 * Returns why the reference may mean another image than at the commit, or undefined if the image is
 * older than the commit. Pure.
 */
export function doubtAbout(
  { created, variables = [], isFixed = false }: Omit<ImageOfCommit, 'services' | 'reference'>,
  committed: Date,
): string | undefined {
  if (variables.length > 0) return `its tag or digest comes from ${variables.join(', ')} of this build`;
  if (isFixed) return undefined;
  const made = created === undefined ? Number.NaN : Date.parse(created);
  if (!(made >= FIRST_BELIEVABLE)) return 'nothing says when it was made';
  if (made <= committed.getTime()) return undefined;
  return `it was made ${new Date(made).toISOString()}, after the commit of ${committed.toISOString()}`;
}

/** Throws UsageError that names all images that may not be those of the commit. Pure. */
export function requireUnmoved(images: readonly ImageOfCommit[], committed: Date, origin: string): void {
  const doubts = images.flatMap((image) => {
    const doubt = doubtAbout(image, committed);
    return doubt === undefined ? [] : [`${image.services.join(', ')}: ${image.reference}: ${doubt}`];
  });
  if (doubts.length === 0) return;
  throw new UsageError(
    `${origin}: its references may mean other images now than on the devices: ${doubts.join('; ')}`,
    {
      hint: ({ option }) =>
        `name the artifact that the devices have with ${option('base', 'FILE.mender')} or ${option('base', 'mender://NAME')}, or ship everything with ${option('delta', 'false')}. For later releases, commit a lock file (mender-docker-delta lock), or write references with digests and variables into committed files alone`,
    },
  );
}

/**
 * Returns the variables of this build that choose the tag or digest of a service's image, from its
 * environment or from env files that the user names. They say nothing about the images of an
 * earlier commit. A variable that only names the registry or the repository is not among them.
 * Pure.
 */
export function chosenBy(service: string, { parts, services }: Application): string[] {
  const template = scalarText(asMapping(asMapping(parts.deferred['services'])[service])['image']);
  const tag = tagOf(services.find(({ name }) => name === service)?.image ?? '');
  const found = template.includes('$')
    ? namesIn(template).filter((name) => tagWithout(name, template, parts.variables) !== tag)
    : filledIn(tag, parts);
  return [...new Set(found)].filter((name) => isOfBuild(name, parts.variables));
}

/** Included and extended files have no expressions any more: the value of a variable tells it. */
function filledIn(tag: string, { filled, variables }: Application['parts']): string[] {
  const names = filled.filter(({ at }) => at.at(-1) === 'image').map(({ name }) => name);
  return names.filter((name) => isPartOf(variables.lookup(name) ?? '', tag));
}

function isOfBuild(name: string, { isFromBuild, replacesDotenv, file }: Variables): boolean {
  return isFromBuild(name) || (replacesDotenv && file.has(name));
}

/** The tag or the digest of a reference with its separator, or an empty text. */
function tagOf(reference: string): string {
  return /(?:@.*|:[^/:]*)$/.exec(reference)?.[0] ?? '';
}

/** The tag without a value for a variable, or with another value if the variable is required. */
function tagWithout(variable: string, template: string, { lookup }: Variables): string {
  const tagWith = (value: string | undefined): string =>
    tagOf(interpolate(template, (name) => (name === variable ? value : lookup(name))));
  try {
    return tagWith(undefined);
  } catch {
    return tagWith('x');
  }
}

function isPartOf(value: string, tag: string): boolean {
  return value !== '' && tag !== '' && (tag.includes(value) || value.includes(tag));
}

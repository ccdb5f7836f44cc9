import { UnsupportedError } from '../../errors.ts';
import { record } from '../../mender/read/json.ts';
import type { ArtifactReport, OddEntry } from '../../mender/read/report.ts';
import { stateScripts } from '../../mender/onDevice/stateScript.ts';
import { MODULES } from '../../mender/spec.ts';
import type { Module } from '../../mender/spec.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { findVersion } from '../base/versionKey.ts';
import { needsBase } from './layers.ts';

/** The files that an update module takes. */
const PAYLOAD: Record<Module, readonly string[]> = {
  app: ['images.tar.gz', 'manifests.tar.gz'],
  'docker-compose': ['images.tar.gz', 'manifests.tar'],
};

/**
 * Returns what a device would do with the artifact in addition to installing its images, and why
 * its update module would refuse it: scripts, files, odd entries of the payload, provides, clears,
 * and depends. Pure.
 */
export function envelopeProblems(artifact: ArtifactReport, module: Module): string[] {
  return [
    ...nameProblems(artifact),
    ...valueProblems(artifact),
    ...typeProblems(artifact),
    ...scriptProblems(artifact),
    ...fileProblems(artifact, module),
    ...artifact.oddEntries.map(oddProblem),
    ...softwareProblems(artifact, module),
  ];
}

/**
 * Returns the update module of an artifact. Throws UnsupportedError for one that installs no
 * images. `path` is for the message.
 */
export function moduleOf({ module }: Pick<ArtifactReport, 'module'>, path: string): Module {
  const known = MODULES.find((name) => name === module);
  if (known !== undefined) return known;
  throw new UnsupportedError(
    `verifying ${path}: it is for update module ${module}, and verify checks only artifacts for ${MODULES.join(' and ')}`,
    { hint: 'mender-docker-delta inspect checks its checksums and shows what is in it' },
  );
}

const CONTROL = /[\x00-\x1f\x7f]/;

/** The tool writes no groups, and a full artifact is for every artifact and version before it. */
function nameProblems(artifact: ArtifactReport): string[] {
  const { artifactName, artifactGroup, deviceTypes, dependsOnGroups, dependsOnArtifactNames } = artifact;
  const groups = [...dependsOnGroups, ...(artifactGroup === undefined ? [] : [artifactGroup])];
  const isFull = !artifact.images.some((report) => needsBase({ report }));
  return [
    ...(CONTROL.test(artifactName) ? ['its name has control characters'] : []),
    ...(deviceTypes.length === 0 ? ['it is for no device type'] : []),
    ...deviceTypes
      .filter((type) => type === '' || CONTROL.test(type))
      .map((type) => `it is for the device type ${JSON.stringify(type)}, which no device has`),
    ...groups.map(
      (group) => `it is for the artifact group ${group}: only devices of the group would take it`,
    ),
    ...(isFull ? dependsOnArtifactNames : []).map(
      (name) => `it is full, and depends on the artifact ${name}`,
    ),
    ...(isFull ? Object.entries(artifact.depends) : []).map(
      ([key, value]) => `it is full, and depends on ${key}=${[value].flat().join(' or ')}`,
    ),
  ];
}

/** Devices store these as lines of a text, and compare them letter by letter. */
function valueProblems({ provides, depends }: ArtifactReport): string[] {
  const facts = [...Object.entries(provides), ...Object.entries(depends)];
  const odd = facts.filter(([key, value]) => [key, ...[value].flat()].some((text) => CONTROL.test(text)));
  const empty = Object.entries(depends).filter(([, value]) => value === '' || value.length === 0);
  return [
    ...odd.map(([key]) => `the key or value of ${JSON.stringify(key)} has control characters`),
    ...empty.map(([key]) => `it depends on no value of ${key}: no device would take it`),
  ];
}

function typeProblems({ module, typeInfoType }: ArtifactReport): string[] {
  if (typeInfoType === undefined || typeInfoType === module) return [];
  return [`its type-info is for update module ${typeInfoType}, its header for ${module}`];
}

/**
 * Only this version's own scripts are known to do what the artifact needs. They run as root. An
 * artifact has all of them or none; deltas need them.
 */
function scriptProblems({ module, scripts, images }: ArtifactReport): string[] {
  const own = module === 'docker-compose' ? stateScripts() : [];
  const sums = new Map(own.map(({ name, content }) => [name, hexOf(digestOf(content))]));
  const found = new Map(scripts.map(({ path, sha256 }) => [nameOf(path), sha256]));
  const isNeeded = found.size > 0 || images.some(({ layers }) => layers.some(({ kind }) => kind === 'delta'));
  const missing = isNeeded ? [...sums.keys()].filter((name) => !found.has(name)) : [];
  const foreign = [...found].filter(([name, sum]) => sums.get(name) !== sum);
  return [
    ...missing.map((name) => `the state script ${name} is missing: devices could not install the images`),
    ...foreign.map(([name]) => `the state script ${name} is foreign: devices would run it as root`),
  ];
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path;
}

function fileProblems({ files, images }: ArtifactReport, module: Module): string[] {
  const found = files.map(({ path }) => path);
  const expected = PAYLOAD[module].filter((name) => name !== 'images.tar.gz' || images.length > 0);
  return [
    ...expected.filter((name) => !found.includes(name)).map((name) => `the payload lacks ${name}`),
    ...found
      .filter((name) => !PAYLOAD[module].includes(name))
      .map((name) => `the payload has the file ${name}, which update module ${module} does not know`),
  ];
}

const KINDS: Record<OddEntry['kind'], string> = {
  link: 'is a link',
  special: 'is a device or named pipe',
  twice: 'is there twice',
  both: 'is a file and a folder',
  stray: 'is a file that nothing refers to',
};

function oddProblem({ file, path, kind }: OddEntry): string {
  return `${file}: ${path} ${KINDS[kind]}`;
}

/**
 * The name that the update module gives the Compose project; undefined if the meta-data has none.
 */
export function projectIn({
  module,
  metaData,
}: Pick<ArtifactReport, 'module' | 'metaData'>): string | undefined {
  const name = record(metaData)[module === 'app' ? 'application_name' : 'project_name'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Devices report the version under a key of the software, and a delta depends on that key. */
function softwareProblems(artifact: ArtifactReport, module: Module): string[] {
  const { provides, depends, clears } = artifact;
  const software = projectIn(artifact);
  if (software === undefined) return ['its meta-data names no application'];
  const key = findVersion(provides, module, software)?.key;
  if (key === undefined) return [`it does not provide the version of ${software}`];
  const own = key.slice(0, -'version'.length);
  const isCleared = clears.some((pattern) => matches(pattern, key));
  const cleared = new Set([`${own}*`, wholeModule(key, module)]);
  return [
    ...(isCleared ? [] : [`it does not clear ${key} of before`]),
    ...Object.keys(provides)
      .filter((one) => !one.startsWith(own))
      .map((one) => `it provides ${one}, which is not of ${software}`),
    ...Object.keys(depends)
      .filter((one) => one !== key)
      .map((one) => `it depends on ${one}, which is not the version of ${software}`),
    ...clears
      .filter((pattern) => !cleared.has(pattern) && !(pattern.startsWith(own) && isPrefix(pattern)))
      .map((pattern) => `it clears ${pattern}, which reaches other software`),
  ];
}

/** The official module runs one project, so an artifact clears those of other projects. */
function wholeModule(key: string, module: Module): string | undefined {
  const software = `.mender-${module}.`;
  const end = module === 'docker-compose' ? key.indexOf(software) : -1;
  return end === -1 ? undefined : `${key.slice(0, end)}${software}*`;
}

/** Clients clear keys by their beginning, so a star stands at the end of a pattern only. */
function isPrefix(pattern: string): boolean {
  return !pattern.replace(/\.\*$/, '').includes('*');
}

function matches(pattern: string, key: string): boolean {
  return pattern === key || (pattern.endsWith('.*') && key.startsWith(pattern.slice(0, -1)));
}

import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { sourceUri } from '../../../src/git/source.ts';
import { packageVersion } from '../../../src/io/packageVersion.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { packageUrl } from '../../../src/pipeline/describe/sbom.ts';
import { commitAll, git } from '../../git/project.ts';
import { RELEASES, program, shop } from '../../faults/shop.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import type { Project } from '../../helpers/project.ts';
import { project } from '../../helpers/project.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const SCHEMAS = join(import.meta.dirname, '../../../fixtures/cyclonedx');

function schemaErrors(document: unknown): unknown {
  const read = (name: string): object =>
    JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  for (const format of ['idn-email', 'iri-reference']) ajv.addFormat(format, true);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(read('bom-1.6'));
  return validate(document) ? [] : validate.errors;
}

interface Sbom {
  serialNumber: string;
  metadata: { timestamp?: string; component: { hashes: unknown; properties: unknown } };
  components: {
    name: string;
    version: string;
    hashes: unknown;
    components: { name: string; purl?: string; properties: unknown }[];
  }[];
}
interface Statement {
  subject: { name: string; digest: { sha256: string } }[];
  predicate: {
    buildDefinition: {
      externalParameters: { base: unknown };
      resolvedDependencies: { name: string; annotations: { role: string } }[];
    };
    runDetails: { builder: unknown };
  };
}

/** An application whose image has packages in its lowest layer, which does not change. */
function shopOfPackages(folder: string): Pick<Project, 'build' | 'artifact'> {
  const { build, artifact } = project(folder, ['web: {image: "example.com/shop/web:${TAG:-1}"}']);
  const packages = {
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.20\n',
    'lib/apk/db/installed': 'P:musl\nV:1.2\n',
    'app/node_modules/left-pad/package.json': '{"name":"left-pad","version":"1.3.0"}',
    'bin/tool': program(1, 2000),
  };
  for (const tag of ['1', '2']) {
    const image = buildImage({ layers: [packages, { 'app/main.js': program(2, 2000, Number(tag)) }] });
    writeOciArchive(join(folder, `${tag}.tar`), { [`example.com/shop/web:${tag}`]: image });
  }
  return {
    artifact,
    build: (version, tag, ...flags) =>
      build(version, tag, '--mode', 'offline', '-f', `web=${join(folder, `${tag}.tar`)}`, ...flags),
  };
}

describe('--sbom', () => {
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

  it('describes images, layers, base and tool next to the artifact, with the same bytes each time', async () => {
    const texts: string[][] = [];
    for (const { build, artifact } of [shop(temporaryFolder()), shop(temporaryFolder())]) {
      await build('1.0', '1');
      expect(await build('2.0', '2', '--sbom')).toMatchObject({ code: 0 });
      const files = ['cdx', 'provenance'].map((kind) => `${artifact('2.0')}.${kind}.json`);
      texts.push(files.map((path) => readFileSync(path, 'utf8')));
      const [bom, statement] = [read(files[0]!) as Sbom, read(files[1]!) as Statement];
      const sum = digestOf(readFileSync(artifact('2.0'))).slice(7);

      expect(schemaErrors(bom)).toEqual([]);
      expect(bom.metadata.timestamp).toBeUndefined();
      expect(bom.metadata.component.hashes).toEqual([{ alg: 'SHA-256', content: sum }]);
      expect(bom.components.map(({ name, version, hashes }) => [name, version, hashes])).toEqual([
        ['example.com/shop/web', '2', [{ alg: 'SHA-256', content: RELEASES['2']!.configDigest.slice(7) }]],
      ]);
      expect(bom.components[0]!.components.map(({ name }) => name)).toEqual(
        RELEASES['2']!.layers.map(({ diffID }) => diffID),
      );
      expect(JSON.stringify(bom.components[0]!.components[1]!.properties)).toContain('"delta"');

      expect(statement.subject).toEqual([{ name: '2.0.mender', digest: { sha256: sum } }]);
      const { externalParameters, resolvedDependencies } = statement.predicate.buildDefinition;
      expect(externalParameters.base).toEqual({ version: '1.0', artifactName: 'shop-1.0' });
      expect(resolvedDependencies.map(({ name, annotations }) => [name, annotations.role])).toEqual([
        ['example.com/shop/web:2', 'image'],
        ['example.com/shop/web:1', 'base'],
      ]);
      const tool = `"mender-docker-delta":"${packageVersion()}"`;
      expect(JSON.stringify(statement.predicate.runDetails)).toContain(tool);
    }
    expect(texts[1]).toEqual(texts[0]);
  });

  const EDITS: [string, (folder: string) => void, boolean][] = [
    ['nothing', () => undefined, false],
    ['a file', (folder) => writeFileSync(join(folder, 'shop/notes'), 'b'), true],
    ['a link', (folder) => relink(join(folder, 'shop/link')), true],
    ['no more: a file is gone', (folder) => rmSync(join(folder, 'shop/notes')), true],
    ['a file above', (folder) => writeFileSync(join(folder, 'above'), 'b'), false],
  ];
  it.each(EDITS)('names the commit, in which somebody changed %s', async (_, edit, modified) => {
    const folder = temporaryFolder();
    const { build, artifact } = shop(folder);
    symlinkSync('notes', join(folder, 'shop/link'));
    const gitCommit = commitAll(folder, { 'shop/notes': 'a', above: 'a' });
    git(folder, 'remote', 'add', 'origin', 'https://me:hunter2@git.example.com/shop.git?token=hunter2');
    edit(folder);
    expect(await build('1.0', '1', '--sbom')).toMatchObject({ code: 0 });
    const { resolvedDependencies } = (read(`${artifact('1.0')}.provenance.json`) as Statement).predicate
      .buildDefinition;
    expect(resolvedDependencies[0]).toEqual({
      name: 'source',
      uri: 'git+https://git.example.com/shop.git',
      digest: { gitCommit },
      annotations: { role: 'source', folder: 'shop', modified },
    });
  });

  it('lists the packages of the images, also of layers that did not change', async () => {
    const { build, artifact } = shopOfPackages(temporaryFolder());
    await build('1.0', '1');
    expect(await build('2.0', '2', '--sbom')).toMatchObject({ code: 0 });
    const bom = read(`${artifact('2.0')}.cdx.json`) as Sbom;
    expect(schemaErrors(bom)).toEqual([]);
    const packages = bom.components[0]!.components.flatMap(({ purl }) => purl ?? []);
    expect(packages).toEqual(['pkg:apk/alpine/musl@1.2?distro=alpine-3.20', 'pkg:npm/left-pad@1.3.0']);
    expect(JSON.stringify(bom.components[0])).toContain(
      '{"name":"mender-docker-delta:packages","value":"2"}',
    );
  });

  it('finds a wrong document: the schema is a real one', () => {
    expect(schemaErrors({ bomFormat: 'CycloneDX', specVersion: '1.6', nonsense: 1 })).not.toEqual([]);
  });
});

function relink(path: string): void {
  rmSync(path);
  symlinkSync('elsewhere', path);
}

describe('the address of a remote', () => {
  it.each([
    ['https://git.example.com/a/shop.git', 'git+https://git.example.com/a/shop.git'],
    ['https://token@git.example.com:8443/shop#x', 'git+https://git.example.com:8443/shop'],
    ['git@git.example.com:a/shop.git', 'git+ssh://git.example.com/a/shop.git'],
    ['git.example.com:shop', 'git+ssh://git.example.com/shop'],
    ['ssh://git@git.example.com:22/shop.git', 'git+ssh://git.example.com:22/shop.git'],
    ['/srv/git/shop.git', undefined],
    ['../shop', undefined],
    ['file:///srv/git/shop.git', undefined],
    ['ext::sh -c evil', undefined],
    ['', undefined],
  ])('%s is %s', (remote, expected) => {
    expect(sourceUri(remote)).toBe(expected);
  });
});

describe('packageUrl', () => {
  const manifest = `sha256:${'ab'.repeat(32)}` as const;
  it.each([
    [
      'busybox:1.36',
      manifest,
      `pkg:oci/busybox@sha256%3A${'ab'.repeat(32)}?arch=arm64&repository_url=docker.io%2Flibrary%2Fbusybox&tag=1.36`,
    ],
    ['localhost:5000/a/b:x', undefined, 'pkg:oci/b?arch=arm64&repository_url=localhost%3A5000%2Fa%2Fb&tag=x'],
  ])('%s', (reference, digest, expected) => {
    const platform = { os: 'linux', architecture: 'arm64' };
    expect(packageUrl(parseReference(reference), { platform }, digest)).toBe(expected);
  });
});

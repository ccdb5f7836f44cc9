import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { archiveSource } from '../../src/archives/source.ts';
import { checkGroups } from '../../src/bake/chooseTargets.ts';
import { inheritAll } from '../../src/bake/inherit.ts';
import { readBakeFile } from '../../src/bake/readBakeFile.ts';
import { readMetadataFile } from '../../src/cache/metadata.ts';
import { decompressed } from '../../src/compress/decompress.ts';
import { unxz } from '../../src/compress/xz.ts';
import { readApplication } from '../../src/compose/application.ts';
import { prepareShipment } from '../../src/compose/ship/shipment.ts';
import { UserError } from '../../src/errors.ts';
import { decodePatch } from '../../src/patch/decodePatch.ts';
import { PositionedFile } from '../../src/delta/tar/positioned.ts';
import { readEntryTable } from '../../src/delta/tar/readEntryTable.ts';
import { readMap } from '../../src/destinations/readMap.ts';
import { readYamlFile } from '../../src/io/yaml.ts';
import { silentLog } from '../../src/io/log.ts';
import { drain } from '../../src/io/streams.ts';
import { readArtifact } from '../../src/mender/read/read.ts';
import { readArtifactFile } from '../../src/mender/read/readFile.ts';
import { readPlatform } from '../../src/mender/read/readPlatform.ts';
import { parseConfig, parseManifest } from '../../src/oci/manifest.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { examineLayer } from '../../src/pipeline/report/examineLayer.ts';
import { examineLoneDelta } from '../../src/pipeline/report/readLayers.ts';
import { StreamReader } from '../../src/tar/byteReader.ts';
import { walkTar } from '../../src/tar/tarRead.ts';
import { CASES } from '../compose/cases.ts';
import { buildImage, layoutFiles } from '../helpers/images.ts';
import { tarOf } from '../helpers/tarball.ts';
import { META_DATA, TYPE_INFO, VERSION, artifactOf, file, info, typeInfo } from '../mender/read/parts.ts';
import type { Parts } from '../mender/read/parts.ts';
import { decode } from '../vcdiff/decoding.ts';

/** A reader of inputs from outside. */
export interface Target {
  name: string;
  /** Good inputs. */
  seeds(): Buffer[];
  /** Reads an input; `folder` is for its files. Resolves or throws a UserError for any input. */
  read(input: Buffer, folder: string): Promise<unknown>;
}

const FIXTURES = new URL('../../fixtures/', import.meta.url);

function fixtures(folder: string, suffix: string): Buffer[] {
  const names = readdirSync(new URL(`${folder}/`, FIXTURES)).filter((name) => name.endsWith(suffix));
  return names.map((name) => readFileSync(new URL(`${folder}/${name}`, FIXTURES)));
}

const chunksOf = (bytes: Buffer): Readable => Readable.from([bytes], { objectMode: false });
const text = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function written(input: Uint8Array, folder: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, input);
  return path;
}

/** Sets right checksums in tar headers, as otherwise hardly any change would get past them. */
function withChecksums(tar: Buffer): Buffer {
  const right = Buffer.from(tar);
  for (let at = 0; at + 512 <= right.length; at += 512) {
    const block = right.subarray(at, at + 512);
    if (block.subarray(257, 262).toString('latin1') !== 'ustar') continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  }
  return right;
}

const IMAGE = buildImage({ layers: [{ 'etc/a': 'one' }, { b: 'two' }] });

const vcdiff: Target = {
  name: 'VCDIFF deltas',
  seeds: () => fixtures('vcdiff', '.vcdiff'),
  read: (input) => decode(input, readFileSync(new URL('vcdiff/source.bin', FIXTURES)), 4096),
};

const patches: Target = {
  name: 'patches',
  seeds: () => fixtures('patch', '.patch'),
  async read(input) {
    const source = readFileSync(new URL('patch/source.bin', FIXTURES));
    const read = (into: Uint8Array, position: number): void => {
      into.set(source.subarray(position, position + into.length));
    };
    let size = 0;
    for await (const piece of decodePatch(chunksOf(input) as AsyncIterable<Buffer>, () => ({ read }))) {
      size += piece.length;
      if (size > LARGEST_CONTENT) return;
    }
  },
};

const tars: Target = {
  name: 'tar archives',
  seeds: () => fixtures('tar', '.tar'),
  async read(input) {
    const entries = walkTar(new StreamReader(chunksOf(withChecksums(input)) as AsyncIterable<Buffer>), 'it');
    for await (const { size } of entries) if (size < 0) throw new Error('a negative size');
  },
};

const layers: Target = {
  name: 'layers for deltas',
  seeds: () => fixtures('tar', '.tar'),
  read(input, folder) {
    const layer = new PositionedFile(written(withChecksums(input), folder, 'layer.tar'));
    try {
      const { count, start } = readEntryTable(layer);
      if (start[count] !== input.length) throw new Error('the table has another size than the file');
    } finally {
      layer.close();
    }
    return Promise.resolve();
  },
};

const reports: Target = {
  name: 'layers for reports',
  seeds: () => fixtures('tar', '.tar'),
  async read(input) {
    const { added } = await examineLayer(chunksOf(withChecksums(input)) as AsyncIterable<Buffer>);
    if (added !== input.length) throw new Error('the report has another size than the layer');
  },
};

const deltaReports: Target = {
  name: 'deltas for reports',
  seeds: () => fixtures('vcdiff', '.vcdiff'),
  read: (input) => examineLoneDelta(chunksOf(input) as AsyncIterable<Buffer>, 1 << 24),
};

const LARGEST_CONTENT = 1 << 24;

const compressed: Target = {
  name: 'gzip and zstd',
  seeds() {
    const content = Buffer.from('some content, again and again. '.repeat(300));
    const twice = Buffer.concat([gzipSync(content), gzipSync('more')]);
    const zstd = (...flags: string[]) => execFileSync('zstd', ['-q', '-c', ...flags], { input: content });
    return [gzipSync(content), twice, zstd('-3'), zstd('-19', '--check'), zstd('--no-content-size'), content];
  },
  read: (input) => drain(decompressed(chunksOf(input), LARGEST_CONTENT) as AsyncIterable<Buffer>),
};

const xz: Target = {
  name: 'xz',
  seeds: () =>
    ['-0', '-6', '-0Ccrc32'].map((flags) => execFileSync('xz', ['-c', flags], { input: 'x y '.repeat(999) })),
  read: (input) => drain(unxz(chunksOf(input) as AsyncIterable<Buffer>)),
};

const manifests: Target = {
  name: 'image manifests and configs',
  seeds: () => [IMAGE.manifest, IMAGE.config, text({ manifests: [{ digest: IMAGE.configDigest, size: 5 }] })],
  read(input) {
    const readers = [
      () => parseManifest(input, 'it'),
      () => parseConfig(input, 'it'),
      () => parseReference(input.toString('utf8')),
      () => parsePlatform(input.toString('utf8')),
    ];
    return tryAll(readers);
  },
};

/**
 * Calls all readers. Throws the first error that is not a refusal, else a refusal if all of them
 * refuse.
 */
async function tryAll(readers: readonly (() => unknown)[]): Promise<void> {
  const results = await Promise.allSettled(readers.map((read) => Promise.resolve().then(read)));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  const defect = errors.find((error) => !(error instanceof UserError));
  if (defect !== undefined) throw defect;
  if (errors[0] !== undefined && errors.length === readers.length) throw errors[0];
}

const archives: Target = {
  name: 'image archives',
  seeds: () => [tarOf(layoutFiles({ 'web:1': IMAGE })), gzipSync(tarOf(layoutFiles({ 'web:1': IMAGE })))],
  read(input, folder) {
    const path = written(input[0] === 0x1f ? input : withChecksums(input), folder, 'image.tar');
    const request = { reference: parseReference('web:1'), platform: parsePlatform('linux/amd64') };
    return archiveSource(path, { log: silentLog }).resolve(request);
  },
};

/** The parts of an artifact that are changed; the first byte of an input chooses one. */
const PARTS: ((content: Buffer) => Parts)[] = [
  (content) => ({ version: content.toString('utf8') }),
  (content) => ({ header: [file('header-info', content), typeInfo()] }),
  (content) => ({ header: [info(), file(TYPE_INFO, content)] }),
  (content) => ({ header: [info(), typeInfo(), file(META_DATA, content)] }),
  (content) => ({ data: [file('manifests.tar', withChecksums(content))] }),
  (content) => ({ data: [file('images.tar', withChecksums(content))] }),
  (content) => ({ data: [file('images.tar.gz', gzipSync(withChecksums(content)))] }),
  (content) => ({ manifest: () => content.toString('latin1') }),
];

const artifactParts: Target = {
  name: 'parts of artifacts',
  seeds: () =>
    [
      VERSION,
      info().content,
      typeInfo({ artifact_provides: { a: 'b' }, clears_artifact_provides: ['a.*'] }).content,
      '{"platform":"linux/amd64","images":["web"]}',
      tarOf({ 'manifests/docker-compose.yml': 'services: {}\n' }),
      imagesTar(),
      imagesTar(),
      `${'0'.repeat(64)}  data/0000/f\n${'1'.repeat(64)}  header.tar\n`,
    ].map((content, part) => Buffer.concat([Buffer.of(part), Buffer.from(content ?? '')])),
  read(input, folder) {
    const part = PARTS[(input[0] ?? 0) % PARTS.length];
    return readWhole(artifactOf(part?.(input.subarray(1))), folder);
  },
};

function imagesTar(): Buffer {
  const image = tarOf(layoutFiles({ 'web:1': IMAGE }));
  return tarOf({ 'images/web/image.img': image, 'images/web/url-new.txt': 'web:1', 'images/new.tar': image });
}

const artifacts: Target = {
  name: 'whole artifacts',
  seeds: () => [artifactOf(), artifactOf({ data: [file('images.tar', imagesTar())] })],
  read: (input, folder) => readWhole(withChecksums(input), folder),
};

async function readWhole(artifact: Buffer, folder: string): Promise<void> {
  const path = written(artifact, folder, 'it.mender');
  const readFront = async () => readPlatform(path, await readArtifactFile(path));
  await tryAll([() => readArtifact(path), readFront]);
}

const composeFiles: Target = {
  name: 'Compose files',
  seeds: () => Object.values(CASES).flatMap(({ files }) => Object.values(files).map(text)),
  read: (input, folder) => readProject(input, Buffer.from('TAG=1\n'), folder),
};

const environments: Target = {
  name: '.env files',
  seeds: () => [text('A=1\nexport B=\'two $A\'\nC="three ${A:-x}\n four"\n# comment\nD=${B:?no}\n')],
  read: (input, folder) =>
    readProject(
      text('services:\n  web:\n    image: web:${A}\n    environment: [B, "C=${C-}"]\n'),
      input,
      folder,
    ),
};

async function readProject(composeFile: Buffer, environment: Buffer, folder: string): Promise<void> {
  written(environment, folder, '.env');
  const composeFiles = [written(composeFile, folder, 'compose.yaml')];
  const application = await readApplication({ composeFiles, profiles: [], environment: {} });
  await prepareShipment(application.parts, []);
}

const metadata: Target = {
  name: 'metadata of artifacts',
  seeds: () => [
    text({ version: '1', services: { web: { image: { ref: 'web:1', hash: IMAGE.configDigest } } } }),
  ],
  read: (input, folder) => readMetadataFile(written(input, folder, 'metadata.json')),
};

const maps: Target = {
  name: 'destination maps',
  seeds() {
    const destination = {
      destination: 'group/a',
      overwrite: false,
      restrict_version: true,
      tags: { a: 'b' },
    };
    const account = { destinations: [destination], provider: null, meta: { host: 'https://a.example' } };
    return [
      text([{ name: 'web', cloud: 'aws', workflow: 'community', mappings: { a: account }, meta: { x: 1 } }]),
      text('- name: web\n  cloud: aws\n  workflow: stratosphere\n  mappings: {eu: {destinations: []}}\n'),
    ];
  },
  read: async (input, folder) => readMap(await readYamlFile(written(input, folder, 'map.yaml')), 'it'),
};

const bakeFiles: Target = {
  name: 'bake files',
  seeds: () => [
    text(
      'group: {default: [a, b], all: {targets: [default]}}\ntarget:\n  a: {inherits: [b], platform: [x/y]}\n  b: {}\n',
    ),
    text({
      target: { _a: { variables: { TAG: 1 } }, b: { inherits: '_a', manifest: 'b', 'also-full': true } },
    }),
  ],
  async read(input, folder) {
    const file = await readBakeFile(written(input, folder, 'mender-bake.yaml'));
    inheritAll(file);
    checkGroups(file);
  },
};

/** Everything that reads what somebody else wrote. */
export const TARGETS: readonly Target[] = [
  vcdiff,
  patches,
  tars,
  layers,
  reports,
  deltaReports,
  compressed,
  xz,
  manifests,
  archives,
  artifactParts,
  artifacts,
  composeFiles,
  environments,
  metadata,
  maps,
  bakeFiles,
];

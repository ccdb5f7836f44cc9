import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { deltaPayload } from '../../../src/mender/onDevice/payload.ts';
import type { PayloadImage } from '../../../src/mender/payload.ts';
import { readDecoder } from '../../../src/mender/onDevice/carriedDecoder.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { memoryOf } from '../../../src/patch/format.ts';
import type { TarFile } from '../../../src/tar/tar.ts';
import { tarStream } from '../../../src/tar/tar.ts';
import { readContent } from '../../../src/pipeline/verify/content.ts';
import { plannedProblems } from '../../../src/pipeline/verify/planned.ts';
import type { RawEntry } from '../../helpers/tarball.ts';
import { tarOfList } from '../../helpers/tarball.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { deltaLayer, fullLayer, omittedLayer, payloadImage } from '../../mender/fixtures.ts';
import { artifactOf, file, folder, info, link, typeInfo } from '../../mender/read/parts.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'mender-docker-delta-planned-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const DELTA = Buffer.from([0xd6, 0xc3, 0xc4, 0, 0]);
const HEX = '0'.repeat(64);

const current = parseReference('registry.example.com/shop/web:1.0');
const omitted = omittedLayer('a');
const delta = deltaLayer('b', digestOf('base'), DELTA);
const full = fullLayer(FOLDER, 'c', 'text');
const WEB = payloadImage('web', [omitted, delta, full], { current });

/** What the artifact with these images says, after an edit of the entries of its `images.tar`. */
async function problemsOf(
  images: PayloadImage[],
  edit: (entries: RawEntry[]) => RawEntry[] = (entries) => entries,
  { mtime, module = 'docker-compose', decoder }: { mtime?: number; module?: string; decoder?: Buffer } = {},
): Promise<string[]> {
  const entries = await Promise.all(deltaPayload(images, mtime, decoder).map(rawEntry));
  const tar = gzipSync(tarOfList(edit(entries)));
  const path = join(temporaryFolder(), 'it.mender');
  const header = [info({ payloads: [{ type: module }] }), typeInfo({ type: module })];
  writeFileSync(path, artifactOf({ header, data: [file('images.tar.gz', tar)] }));
  return plannedProblems(await readContent(path));
}

async function rawEntry({ path, body, nested }: TarFile): Promise<RawEntry> {
  if (nested !== undefined) return { path, content: await buffer(tarStream(nested)) };
  return { path, content: body instanceof Uint8Array ? body : await buffer(body()) };
}

const at =
  (end: string, edit: (entry: RawEntry) => RawEntry[]) =>
  (entries: RawEntry[]): RawEntry[] =>
    entries.flatMap((entry) => (entry.path.endsWith(end) ? edit(entry) : [entry]));
const content = (end: string, edit: (text: string) => string): ((entries: RawEntry[]) => RawEntry[]) =>
  at(end, (entry) => [
    { ...entry, content: Buffer.from(edit(Buffer.from(entry.content ?? '').toString('latin1')), 'latin1') },
  ]);
const plan = (from: string | RegExp, to: string): ((entries: RawEntry[]) => RawEntry[]) =>
  content('/plan', (text) => text.replace(from, () => to));

test.each<[string, PayloadImage[], number?]>([
  ['one image', [WEB]],
  ['files of another time', [WEB], 1_700_000_000],
  ['several images', [payloadImage('new', [full]), WEB]],
  ['layers that are there twice', [payloadImage('web', [omitted, delta, omitted, full, delta], { current })]],
  ['a platform with a variant', [{ ...WEB, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }]],
  [
    'a smaller buffer',
    [
      payloadImage('web', [{ ...delta, content: { ...delta.content, buffer: 1 << 20 } as never }], {
        current,
      }),
    ],
  ],
])('a payload is right: %s', async (_, images, mtime) => {
  expect(await problemsOf(images, undefined, mtime === undefined ? {} : { mtime })).toEqual([]);
});

const VERSION_LINE = 'mender-docker-delta 2\n';

test.each<[string, (entries: RawEntry[]) => RawEntry[], string]>([
  ['another config', plan(/ [0-9a-f]{64}/, ` ${HEX}`), 'images/plan:2: expected "image 0 '],
  ['another manifest', plan(/ [0-9a-f]{64}(?= \d+ \d+\n)/, ` ${HEX}`), 'images/plan:2: '],
  ['another name', plan('web:2.0', 'web:3.0'), 'images/plan:2: '],
  ['a base without a name', plan('registry.example.com/shop/web:1.0', ':'), 'images/plan:2: '],
  ['other bytes of an image', plan(/\d+ 3\n/, '512 3\n'), 'images/plan:2: '],
  ['no layers', plan(/ 3\n/, ' 0\n'), 'images/plan:2: '],
  ['code', plan(/\d+ 3\n/, 'a[$(id)] 3\n'), 'images/plan:2: '],
  ['another size', plan(/(?<=^layer.*) \d+ -/m, ' 1 -'), 'images/plan:3: '],
  ['another chain', plan(/[0-9a-f]{64} 0\n/, `${HEX} 0\n`), 'images/plan:3: '],
  ['a large buffer', plan(/67108864\n/, '999999999999\n'), 'images/plan:4: '],
  ['an odd buffer', plan(/67108864\n/, '1048577\n'), 'images/plan:4: '],
  ['a buffer with a zero in front', plan(/67108864\n/, '01048576\n'), 'images/plan:4: '],
  ['a missing layer', plan(/^layer 0 full .*\n/m, ''), 'images/plan:5: expected "layer 0 full '],
  ['a layer twice', plan(/^(layer 0 omit .*\n)/m, `layer 0 omit ${HEX} 1 - 0 ${HEX} 0\n`), 'images/plan:3: '],
  [
    'a second image',
    plan('end\n', `image ../x - a:1 ${HEX} ${HEX} 1024 0\nend\n`),
    'images/plan:6: expected "end"',
  ],
  ['no end', plan('end\n', ''), 'images/plan:6: expected "end", found ""'],
  ['something behind the end', plan('end\n', 'end\nx'), 'images/plan:7: expected "", found "x"'],
  ['no end of its last line', plan('end\n', 'end'), 'images/plan:7: expected "", found "its end"'],
  ['a carriage return', plan('end\n', 'end\r\n'), 'images/plan:6: expected "end", found "end\\r"'],
  ['bytes that are no text', plan('end\n', 'end\n\xff'), 'images/plan:7: '],
  [
    'a later version',
    plan(VERSION_LINE, 'mender-docker-delta 3\n'),
    'made by another version of this tool, and was not checked',
  ],
  ['no version', plan(VERSION_LINE, 'mender\n'), 'made by another version of this tool, and was not checked'],
  ['no plan', at('/plan', () => []), 'images.tar.gz has deltas, and no plan'],
  ['headers of zeros', content('/headers', (text) => '\0'.repeat(text.length)), 'headers has other bytes'],
  [
    'empty headers',
    content('/headers', () => ''),
    'images.tar.gz: expected the file "images/0/headers" of 1536 bytes',
  ],
  ['no headers', at('/headers', () => []), 'images.tar.gz: expected the file "images/0/headers"'],
  [
    'headers of another mode',
    content('/headers', (text) => text.replace('0000644', '0004755')),
    'headers has other bytes',
  ],
  ['the plan last', ([first, ...rest]) => [...rest, first!], 'expected the file "images/plan" of'],
  ['layers in another order', (all) => all.toSpliced(3, 2, all[4]!, all[3]!), '.vcdiff" of 5 bytes at'],
  ['a folder in front', (all) => [folder('images/'), ...all], 'found the folder "images/"'],
  [
    'names with ./',
    at('/plan', (entry) => [{ ...entry, path: `./${entry.path}` }]),
    'found the file "./images/plan"',
  ],
  ['a link at the end', (all) => [...all, link('images/l')], 'expected its end, found the link "images/l"'],
  [
    'another number',
    (all) => all.map((entry) => ({ ...entry, path: entry.path.replace('/0', '/1') })),
    'the plan can not be checked',
  ],
  [
    'an index that is written in another way',
    content('.tar', (text) =>
      text.replace(
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"',
        '{"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2',
      ),
    ),
    'index.json has other bytes',
  ],
  [
    'a layout of another version',
    content('.tar', (text) => text.replace('"1.0.0"', '"1.0.1"')),
    'oci-layout has other bytes',
  ],
  [
    'a link in an image',
    at('.tar', ({ path, content: tar }) => [
      { path, content: Buffer.concat([tarOfList([link('x')]).subarray(0, 512), Buffer.from(tar ?? '')]) },
    ]),
    'found the file "images/0.tar" of 7168 bytes',
  ],
])('a payload is wrong: %s', async (_, edit, problem) => {
  expect((await problemsOf([WEB], edit)).join('\n')).toContain(problem);
});

test('a long plan of many images is read in linear time', { timeout: 15_000 }, async () => {
  const many = Array.from({ length: 900 }, (_, number) => file(`images/${number + 1}/x`));
  const long = plan('end\n', `${'image x\n'.repeat(100_000)}end\n`);
  expect(await problemsOf([WEB], (entries) => [...long(entries), ...many])).toEqual([
    'the plan can not be checked, as an image has faults',
  ]);
});

test.each([
  ['app', [WEB], 'images.tar.gz has a plan for a state script, and no deltas'],
  [
    'docker-compose',
    [payloadImage('new', [full])],
    'images.tar.gz has a plan for a state script, and no deltas',
  ],
])('no plan is expected in an artifact for %s', async (module, images, problem) => {
  expect(await problemsOf(images, undefined, { module })).toEqual([problem]);
});

const ARM64 = { os: 'linux', architecture: 'arm64' };
const decoder = readDecoder(ARM64);
const patchOf = (buffer: number) =>
  ({ ...delta, content: { ...delta.content, format: 'patch', buffer } }) as typeof delta;
const PATCHED = payloadImage('web', [omitted, patchOf(5_000_000), full], { current });

test.each<[string, PayloadImage]>([
  ['with a decoder', PATCHED],
  [
    'of the most memory that one can ask for',
    payloadImage('web', [patchOf(memoryOf({ tableBits: 23, ringBits: 24 }))], { current }),
  ],
  ['with deltas for both decoders', payloadImage('web', [patchOf(1), delta], { current })],
])('patches are right: %s', async (_, image) => {
  expect(await problemsOf([image], undefined, { decoder })).toEqual([]);
});

const FOREIGN = 'images/decoder is foreign: devices would run it as root';

test.each<[string, PayloadImage, Buffer | undefined, (entries: RawEntry[]) => RawEntry[], string]>([
  ['no decoder', PATCHED, undefined, (all) => all, 'images.tar.gz has patches, and no images/decoder'],
  [
    'a decoder of another machine',
    PATCHED,
    readDecoder({ os: 'linux', architecture: 'amd64' }),
    (all) => all,
    FOREIGN,
  ],
  ['a changed decoder', PATCHED, decoder, content('/decoder', (text) => text.replace(/.$/s, 'x')), FOREIGN],
  ['a longer decoder', PATCHED, decoder, content('/decoder', (text) => `${text}x`), FOREIGN],
  [
    'a decoder without patches',
    WEB,
    decoder,
    (all) => all,
    'images.tar.gz has images/decoder, and no patches',
  ],
  [
    'the decoder in another place',
    PATCHED,
    decoder,
    ([first, second, ...rest]) => [first!, ...rest, second!],
    'expected the file "images/decoder" of',
  ],
  [
    'more memory than a decoder gives',
    payloadImage('web', [patchOf(memoryOf({ tableBits: 23, ringBits: 24 }) + 1)], { current }),
    decoder,
    (all) => all,
    'images/plan:3: ',
  ],
  [
    'patches for a machine without a decoder',
    {
      ...PATCHED,
      platform: { os: 'linux', architecture: 's390x' },
      config: Buffer.from(PATCHED.config.toString().replace('arm64', 's390x')),
    },
    decoder,
    (all) => all,
    'it has patches for linux/s390x, which has no decoder',
  ],
])('patches are wrong: %s', async (_, image, program, edit, problem) => {
  const options = program === undefined ? {} : { decoder: program };
  expect((await problemsOf([image], edit, options)).join('\n')).toContain(problem);
});

test('a decoder that is no program is taken for an image', async () => {
  const script = content('/decoder', () => '#!/bin/sh\n');
  await expect(problemsOf([PATCHED], script, { decoder })).rejects.toThrow(
    'images/decoder: the archive is truncated',
  );
});

test('module app can not decode patches', async () => {
  expect(await problemsOf([PATCHED], undefined, { decoder, module: 'app' })).toEqual([
    'images.tar.gz has patches, which update module app can not decode',
  ]);
});

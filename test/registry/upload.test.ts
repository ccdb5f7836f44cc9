import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DeniedError, IntegrityError, NetworkError, NotFoundError } from '../../src/errors.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { forgetSecrets, registerSecret } from '../../src/io/redact.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { referrersTag } from '../../src/oci/fileManifest.ts';
import { OCI_MANIFEST } from '../../src/oci/mediaTypes.ts';
import type { CredentialLookup } from '../../src/registry/credentials.ts';
import type { FilesContext } from '../../src/registry/files/context.ts';
import { openFiles } from '../../src/registry/files/context.ts';
import { pushFile } from '../../src/registry/files/pushFile.ts';
import type { NewFile } from '../../src/registry/files/pushFile.ts';
import { attachFile, findReferrers } from '../../src/registry/files/referrers.ts';
import { listen } from '../helpers/listen.ts';
import { refuse, startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import type { Fault, MisbehavingRegistry } from '../helpers/misbehaving-registry.ts';

const BYTES = Buffer.alloc(300_000, 'content of a file ');
const nobody: CredentialLookup = () => Promise.resolve(undefined);
const tester: CredentialLookup = () =>
  Promise.resolve({ kind: 'password', username: 'tester', password: 'correct-horse' });

async function start(...faults: Fault[]): Promise<MisbehavingRegistry> {
  const registry = await startMisbehavingRegistry(faults);
  onTestFinished(() => registry.stop());
  return registry;
}

function openedFor(credentials = nobody): FilesContext {
  const http = createHttp({ log: silentLog, retries: { pausesMs: [1, 1] } });
  return { ...openFiles({ http, log: silentLog, credentials }, 'pull,push'), pausesMs: [1, 1] };
}

function fileOf(bytes: Buffer, tag?: string): NewFile {
  return {
    artifactType: 'application/vnd.test',
    mediaType: 'application/vnd.test.file',
    title: 'a.bin',
    blob: {
      digest: digestOf(bytes),
      size: bytes.length,
      open: () => Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)], { objectMode: false }),
    },
    ...(tag === undefined ? {} : { tag }),
  };
}

type Class = new (...args: never[]) => Error;

const place = ({ host }: { host: string }) => ({ registry: host, repository: 'team/files' });
const push = (registry: { host: string }, credentials = nobody) =>
  pushFile(openedFor(credentials), place(registry), fileOf(BYTES, '1'));

const hangUp: Fault['act'] = (_request, response) => void response.destroy();
const answer =
  (status: number, code = 'TROUBLE', headers: Record<string, string> = {}): Fault['act'] =>
  (_request, response) =>
    refuse(response, status, code, headers);
const uploads = ({ seen }: MisbehavingRegistry): number =>
  seen.filter(({ method, url }) => method === 'PUT' && url.includes(encodeURIComponent(digestOf(BYTES))))
    .length;

describe('an upload', () => {
  test('sends a file once', async () => {
    const registry = await start();
    expect((await push(registry)).outcome).toBe('uploaded');
    const second = await push(registry);
    expect([second.outcome, uploads(registry)]).toEqual(['present', 1]);
  });

  test.each<[string, Fault['act']]>([
    ['breaks off', hangUp],
    ['meets a server error', answer(503)],
    ['meets a limit', answer(429)],
    ['is lost by the registry', answer(404, 'BLOB_UPLOAD_UNKNOWN')],
  ])('that %s is begun again', async (_, act) => {
    const registry = await start({ match: /^PUT .*uploads/, times: 2, act });
    expect((await push(registry)).outcome).toBe('uploaded');
    expect(uploads(registry)).toBe(3);
  });

  test('whose response is lost is not sent again', async () => {
    const loseResponse: Fault['act'] = (_request, response, serve) => {
      response.writeHead = (() => ({ end: () => response.destroy() })) as never;
      serve();
    };
    const registry = await start({ match: /^PUT .*uploads/, times: 1, act: loseResponse });
    expect((await push(registry)).outcome).toBe('uploaded');
    expect(uploads(registry)).toBe(1);
  });

  test.each<[string, Fault, Class, RegExp]>([
    ['no rights', { match: /^POST/, act: answer(403, 'DENIED') }, DeniedError, /refused access/],
    [
      'a registry that only reads',
      { match: /^POST/, act: answer(405, 'UNSUPPORTED') },
      NetworkError,
      /answered 405/,
    ],
    [
      'no such repository',
      { match: /^POST/, act: answer(404, 'NAME_UNKNOWN') },
      NotFoundError,
      /no such repository/,
    ],
    [
      'no address',
      { match: /^POST/, act: (_, response) => void response.writeHead(202).end() },
      NetworkError,
      /gave no address/,
    ],
    [
      'a file address',
      {
        match: /^POST/,
        act: (_, response) => void response.writeHead(202, { location: 'file:///etc' }).end(),
      },
      NetworkError,
      /gave no address/,
    ],
    ['a full registry', { match: /^PUT .*uploads/, act: answer(507) }, NetworkError, /answered 507/],
    [
      'a refused manifest',
      { match: /^PUT .*manifests/, act: answer(400, 'MANIFEST_INVALID') },
      NetworkError,
      /manifest invalid/,
    ],
    [
      'another digest',
      {
        match: /^PUT .*manifests/,
        act: (_, response) => void response.writeHead(201, { 'docker-content-digest': digestOf('x') }).end(),
      },
      IntegrityError,
      /the registry stored sha256/,
    ],
  ])('ends with %s', async (_, fault, Class, message) => {
    const registry = await start(fault);
    const error: unknown = await push(registry).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Class);
    expect(String(error)).toMatch(message);
  });

  test('shows no part of a secret that the registry repeats', async () => {
    const secret = 'horse-battery-staple';
    onTestFinished(forgetSecrets);
    registerSecret(secret);
    const repeat: Fault['act'] = (_request, response) =>
      void response.writeHead(404).end(`${'x'.repeat(190)}${secret}`);
    const registry = await start({ match: /^PUT .*manifests/, act: repeat });
    const error: unknown = await push(registry).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(String(error)).toMatch(/did not store it \(404\): x{190}\*\*\*$/);
  });

  test('does not believe in a blob of another size', async () => {
    const wrong: Fault['act'] = (_request, response) =>
      void response.writeHead(200, { 'content-length': '7' }).end();
    const registry = await start({ match: /^HEAD .*blobs/, act: wrong });
    expect((await push(registry)).outcome).toBe('uploaded');
  });

  test('asks for a token that may push', async () => {
    const registry = await start();
    const realm = { 'www-authenticate': `Bearer realm="http://${registry.host}/token",service="s"` };
    registry.faults.push(
      { match: /^GET \/token/, act: (_, response) => void response.end('{"token":"abc-token"}') },
      {
        match: /^POST|^PUT|^HEAD/,
        act: ({ headers }, response, serve) =>
          headers.authorization === 'Bearer abc-token'
            ? serve()
            : refuse(response, 401, 'UNAUTHORIZED', realm),
      },
    );
    expect((await push(registry, tester)).outcome).toBe('uploaded');
    const asked = registry.seen.filter(({ url }) => url.startsWith('/token'));
    expect(asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('scope'))).toEqual([
      'repository:team/files:pull,push',
    ]);
  });

  test('sends no credentials to another host', async () => {
    const got: (string | undefined)[] = [];
    const storage = await listen((request, response) => {
      got.push(request.headers.authorization);
      request.resume().on('end', () => response.writeHead(201).end());
    });
    const location = `${storage.replace('127.0.0.1', 'localhost')}/put?token=signed-url`;
    const registry = await start({
      match: /./,
      act: ({ headers, method }, response, serve) => {
        if (headers.authorization === undefined) {
          refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="test"' });
        } else if (method === 'POST') response.writeHead(202, { location }).end();
        else serve();
      },
    });
    expect((await push(registry, tester)).outcome).toBe('uploaded');
    expect(got).toEqual([undefined, undefined]);
  });
});

describe('what is about a manifest', () => {
  const about = Buffer.from('{"about":"it"}');

  test('is found under a tag if the registry has no API for it', async () => {
    const registry = await start();
    const [context, repository] = [openedFor(), place(registry)];
    const subject = await pushFile(context, repository, fileOf(BYTES, '1'));
    const first = await attachFile(context, repository, subject, fileOf(about));
    const second = await attachFile(context, repository, subject, fileOf(Buffer.from('other')));
    await attachFile(context, repository, subject, fileOf(about));
    const found = await findReferrers(context, repository, subject.digest);
    expect(found.map(({ digest, artifactType }) => [digest, artifactType])).toEqual([
      [first, 'application/vnd.test'],
      [second, 'application/vnd.test'],
    ]);
  });

  test('is left to the API if the registry has it', async () => {
    const registry = await start({
      match: /^PUT .*manifests/,
      act: (_, response, serve) => {
        response.setHeader('oci-subject', 'sha256:x');
        serve();
      },
    });
    const subject = await pushFile(openedFor(), place(registry), fileOf(BYTES, '1'));
    await attachFile(openedFor(), place(registry), subject, fileOf(about));
    const tag = referrersTag(subject.digest);
    expect(registry.seen.filter(({ url }) => url.endsWith(tag))).toEqual([]);
  });

  const listed = (text: string) => ({ mediaType: OCI_MANIFEST, digest: digestOf(text), size: 1 });
  const page =
    (link: (host: string) => string, ...texts: string[]): Fault['act'] =>
    ({ headers }, response) =>
      void response
        .writeHead(200, { link: link(headers.host ?? '') })
        .end(JSON.stringify({ manifests: texts.map(listed) }));

  test.each<[string, (query: string, host: string) => string]>([
    ['relative addresses', (query) => `</v2/team/files/referrers/s?${query}>; rel="next"`],
    ['absolute addresses', (query, host) => `<http://${host}/v2/team/files/referrers/s?${query}>;rel=next`],
    ['other links', (query) => `</first>; rel="first", <?${query}>; title="x"; rel="next"`],
  ])('is found on all pages with %s', async (_, link) => {
    const registry = await start(
      { match: /referrers.*after=b/, act: page(() => '</x>; rel="first"', 'c') },
      { match: /referrers.*after=a/, act: page((host) => link('after=b', host), 'b') },
      { match: /referrers/, act: page((host) => link('after=a', host), 'a') },
    );
    const found = await findReferrers(openedFor(), place(registry), digestOf('s'));
    expect(found).toEqual(['a', 'b', 'c'].map(listed));
  });

  test.each<[string, Fault, Class, RegExp]>([
    [
      'has no end',
      { match: /referrers/, act: page(() => '<?after=a>; rel="next"') },
      IntegrityError,
      /does not end/,
    ],
    ['loses a page', { match: /referrers.*after=a/, act: answer(404) }, IntegrityError, /page 2 is missing/],
    ['breaks off', { match: /referrers.*after=a/, act: answer(400) }, NetworkError, /answered 400|400/],
  ])('is not taken from a list that %s', async (_, fault, Expected, message) => {
    const registry = await start(fault, {
      match: /referrers/,
      act: page(() => '<?after=a>; rel="next"', 'a'),
    });
    const error: unknown = await findReferrers(openedFor(), place(registry), digestOf('s')).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(Expected);
    expect(String(error)).toMatch(message);
  });

  test.each([
    ['no JSON', 'oops'],
    ['no list', '{"manifests":7}'],
    ['a wrong digest', '{"manifests":[{"mediaType":"a","size":1,"digest":"sha256:../../x"}]}'],
  ])('is not read from %s', async (_, body) => {
    const registry = await start({
      match: /referrers/,
      act: (_request, response) => void response.end(body),
    });
    await expect(findReferrers(openedFor(), place(registry), digestOf('s'))).rejects.toThrow(IntegrityError);
  });
});

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import type { Fault, MisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import { cutAfter, endless, refuse, startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import { RELEASES } from './shop.ts';

/** Each build has its own: what one run learned to hide must not hide for another. */
interface Secrets {
  password: string;
  /** As it travels. */
  auth: string;
  token: string;
  /** Of a presigned URL. */
  signature: string;
}

function newSecrets(): Secrets {
  const random = (): string => randomBytes(18).toString('base64url');
  const password = `correct-horse-${random()}`;
  const auth = Buffer.from(`tester:${password}`).toString('base64');
  return { password, auth, token: `eyJhbGciOi.${random()}.${random()}`, signature: random() };
}

const image = RELEASES['1']!;
const layer = new RegExp(`^GET .*blobs/${image.layers[0]!.descriptor.digest}`);

const answer =
  (status: number, text: string, headers: Record<string, string> = {}): Fault['act'] =>
  (_request, response) =>
    void response.writeHead(status, headers).end(text);
/** Everything that a request brought, in the error's message. */
const echo =
  (status: number): Fault['act'] =>
  ({ headers, url, body }, response) =>
    refuse(
      response,
      status,
      `you sent ${JSON.stringify({ headers, url, body })}: ${headers.authorization?.split(' ')[1] ?? ''}`,
      {
        'retry-after': '0',
      },
    );

/** A registry that wants a token for everything, after the faults have had their turn. */
async function start(fault: Fault, { auth, token }: Secrets): Promise<MisbehavingRegistry> {
  const registry: MisbehavingRegistry = await startMisbehavingRegistry([
    fault,
    {
      match: /^GET \/token/,
      act: ({ headers }, response) =>
        headers.authorization === `Basic ${auth}`
          ? void response.end(JSON.stringify({ token }))
          : refuse(response, 401, 'WHO'),
    },
    {
      match: /./,
      act: ({ headers }, response, serve) => {
        if (headers.authorization === `Bearer ${token}`) serve();
        else
          refuse(response, 401, 'UNAUTHORIZED', {
            'www-authenticate': `Bearer realm="http://${registry.host}/token",service="it"`,
          });
      },
    },
  ]);
  registry.add('shop/web', '1', image);
  return registry;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-registry-faults-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function build(
  name: string,
  make: (secrets: Secrets) => Fault,
): Promise<{ code: number; output: string; text: string; shown: string[] }> {
  const secrets = newSecrets();
  const registry = await start(make(secrets), secrets);
  try {
    const work = join(folder, name.replaceAll(/\W+/g, '-'));
    mkdirSync(join(work, 'shop'), { recursive: true });
    writeFileSync(join(work, 'shop/compose.yaml'), 'services: {web: {image: "example.com/shop/web:1"}}');
    const output = join(work, 'new.mender');
    const config = { auths: { [registry.host]: { auth: secrets.auth } } };
    const run = await runCli(
      [
        'build',
        join(work, 'shop'),
        '-t',
        'q',
        '-p',
        'linux/amd64',
        '--artifact-version',
        '1',
        '--no-upload',
        '--writer',
        'embedded',
        '-v',
        '--mode',
        'online',
        '-i',
        `web=${registry.host}/shop/web:1`,
        '-a',
        output,
      ],
      { HOME: work, DOCKER_CONFIG_JSON: JSON.stringify(config) },
    );
    const text = run.stdout + run.stderr;
    const shown = Object.values(secrets).filter((secret) => text.includes(secret as string)) as string[];
    return { code: run.code, output, text, shown };
  } finally {
    await registry.stop();
  }
}

const wrong = Buffer.alloc(image.layers[0]!.blob.length);
const once = (fault: Fault) => (): Fault => fault;
const survived: [string, () => Fault][] = [
  ['nothing at all', once({ match: /never/, act: endless })],
  ['a layer cut in the middle', once({ match: layer, times: 2, act: cutAfter(9000) })],
  ['503 twice', once({ match: /manifests/, times: 2, act: answer(503, '', { 'retry-after': '0' }) })],
  ['429 twice', once({ match: layer, times: 2, act: answer(429, '', { 'retry-after': '0' }) })],
  [
    'a token service that fails every second time',
    once({ match: /token/, times: 1, act: answer(500, '', { 'retry-after': '0' }) }),
  ],
];
const given: [string, (secrets: Secrets) => Fault, number][] = [
  ['503 for ever, all echoed', once({ match: /manifests/, act: echo(503) }), 5],
  ['a refused manifest, all echoed', once({ match: /manifests/, act: echo(403) }), 4],
  ['a refused layer, all echoed', once({ match: layer, act: echo(403) }), 4],
  ['a token service that refuses, all echoed', once({ match: /token/, act: echo(401) }), 4],
  ['a token service that fails, all echoed', once({ match: /token/, act: echo(500) }), 5],
  [
    'a token service that refuses with a page',
    once({ match: /token/, act: answer(403, '<html>\n<body>\u001b[31mno\r\n</body>\n') }),
    4,
  ],
  ['a token service that answers a page', once({ match: /token/, act: answer(200, '<html>') }), 5],
  [
    'a token that is never good',
    ({ token }) => ({ match: /manifests/, act: (_request, response) => refuse(response, 401, token) }),
    4,
  ],
  ['wrong bytes', once({ match: layer, act: (_request, response) => void response.end(wrong) }), 6],
  [
    'a wrong size',
    once({ match: layer, act: (_request, response) => void response.end(wrong.subarray(1)) }),
    6,
  ],
  ['an endless layer', once({ match: layer, act: endless }), 6],
  ['an endless manifest', once({ match: /GET .*manifests/, act: endless }), 5],
  ['an invalid manifest', ({ token }) => ({ match: /manifests/, act: answer(200, `{"x":"${token}"}`) }), 7],
  [
    'a host that is not there',
    ({ signature }) => ({
      match: layer,
      act: answer(307, '', { location: `http://127.0.0.1:9/blob?X-Amz-Signature=${signature}` }),
    }),
    5,
  ],
  [
    'a redirect to nowhere',
    ({ password, signature }) => ({
      match: layer,
      act: answer(307, '', { location: `ftp://tester:${password}@x/?s=${signature}` }),
    }),
    5,
  ],
];

describe.concurrent('a build from a registry', () => {
  it.each(survived)('survives %s', async (name, make) => {
    const { code, output, shown } = await build(name, make);
    expect([code, shown]).toEqual([0, []]);
    const verified = await runCli(['verify', output], { HOME: folder });
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('verdict:  good')]);
  });

  it.each(given)('gives up on %s, and shows no secret even with -v', async (name, make, expected) => {
    const { code, output, text, shown } = await build(name, make);
    expect([code, existsSync(output), text.includes('This is a bug'), shown]).toEqual([
      expected,
      false,
      false,
      [],
    ]);
    // The very end, each on one line.
    expect(text).toMatch(/^error: .+\n(?: {2}try: .+\n)?(?![^])/m);
  });
});

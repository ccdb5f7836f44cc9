import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { artifactsCommand } from '../../../src/commands/artifacts/artifacts.ts';
import { uploadCommand } from '../../../src/commands/upload.ts';
import { DeniedError, NetworkError, NotFoundError, UsageError } from '../../../src/errors.ts';
import type { UserError } from '../../../src/errors.ts';
import { createHttp } from '../../../src/http/http.ts';
import { silentLog } from '../../../src/io/log.ts';
import { createApi } from '../../../src/server/api.ts';
import { deleteArtifact } from '../../../src/server/artifacts.ts';
import { listen } from '../../helpers/listen.ts';
import { makeArtifact } from '../../helpers/mender-artifact.ts';
import { runCommand } from '../../helpers/menderServer/command.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { vectors } from '../../library/vectors.ts';

/**
 * The verbs of the image service, on a Mender server: what its client did with an answer is what
 * `artifacts` does. Its fields and its wire format are its own; where one has no counterpart, the
 * table says what stands in its place.
 */

interface HttpVector {
  name: string;
  error?: string;
  exchanges: { response: { status: number } }[];
}

interface Fields {
  status_machine: { event: string }[];
  list_rules: Record<string, string>;
  read_counts: Record<string, string>;
  validation: { op: string; meta: Record<string, string>; ok: boolean; message?: string }[];
  server_errors: { when: string; http: number; message?: string }[];
}

const { exchanges } = vectors('visor-http') as { exchanges: HttpVector[] };
const fields = vectors('visor-fields') as Fields;

const gateways = new Map<string, Buffer>();

/**
 * An artifact of this name in the folder: the tool of Mender makes its bytes once for all tests.
 */
function copyOf(name: string, folder: string): string {
  const bytes = gateways.get(name) ?? readFileSync(makeArtifact({ name }));
  gateways.set(name, bytes);
  const path = join(folder, `${name}.mender`);
  writeFileSync(path, bytes);
  return path;
}

async function prepared() {
  const server = await menderServer();
  const folder = temporaryFolder();
  const environment = { MENDER_PAT: server.token, XDG_STATE_HOME: folder };
  const run = (words: string[], json = true) =>
    runCommand(server, artifactsCommand, words, { json, environment });
  const paths = ['gateway-1', 'gateway-2'].map((name) => copyOf(name, folder));
  for (const path of paths) await runCommand(server, uploadCommand, [path], { environment });
  return { server, folder, run, paths };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** What the verb of a vector is here, and what it gives. */
const VERBS: Record<string, (store: Prepared) => Promise<void>> = {
  head: async ({ run, paths }) => {
    const { stdout } = await run(['head', 'gateway-1']);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'gateway-1', size: readFileSync(paths[0]!).length });
  },
  'head-missing': ({ run }) => fails(run(['head', 'missing']), NotFoundError, 'there is no artifact missing'),
  'list-query': async ({ run }) => {
    const { stdout } = await run(['list', '--query', 'name=gateway-*', '--sort', 'name', '--dir', 'desc']);
    expect(namesIn(stdout)).toEqual(['gateway-2', 'gateway-1']);
  },
  'list-query-escaped': async ({ run }) => {
    const { stdout } = await run(['list', '--query', 'name=CentOS 6.2 & more']);
    expect(namesIn(stdout)).toEqual([]);
  },
  get: async ({ run, folder, paths }) => {
    const output = join(folder, 'got.mender');
    await run(['download', 'gateway-1', '-o', output]);
    expect(readFileSync(output).equals(readFileSync(paths[0]!))).toBe(true);
  },
  'get-missing': ({ run }) =>
    fails(run(['download', 'missing']), NotFoundError, 'there is no artifact missing'),
  'post-file': async ({ run, server }) => {
    const { stdout } = await run(['add', makeArtifact({ name: 'gateway-3' })]);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'gateway-3', outcome: 'uploaded', finished: [] });
    expect(server.state.artifacts.size).toBe(3);
  },
  'put-meta': async ({ run, server }) => {
    await run(['update', 'gateway-1', '--description', 'gw']);
    expect([...server.state.artifacts.values()]).toContainEqual(
      expect.objectContaining({ description: 'gw' }),
    );
  },
  'put-empty-400': ({ run }) =>
    fails(run(['update', 'gateway-1']), UsageError, 'expected --description, --replace or --location'),
  'put-busy-409': async ({ run, server }) => {
    server.faults.plan(/^DELETE .*artifacts/, { kind: 'status', status: 409, message: 'in use' });
    const file = makeArtifact({ name: 'gateway-1', payload: 50_000 });
    await fails(run(['update', 'gateway-1', '--replace', file]), UsageError, 'in use');
    expect(server.state.artifacts.size).toBe(2);
  },
  'delete-missing': ({ run }) =>
    fails(run(['delete', 'missing']), NotFoundError, 'there is no artifact missing'),
  'delete-denied-403': (store) => deleteFails(store, 403, DeniedError),
  'delete-500': (store) => deleteFails(store, 500, NetworkError),
  // Every status but success is an error here, also one that nobody expects.
  'delete-418-unmapped': async () => {
    const host = await listen((_request, response) => response.writeHead(418).end('teapot'));
    const api = createApi({ http: createHttp({ log: silentLog }), host, authorization: 'Bearer x' });
    await expect(deleteArtifact(api, 'teapot')).rejects.toThrow(/answered 418: teapot/);
  },
};

/** What is said of the fields of a post or put; undefined where they are taken. */
function refusalOf(op: string, meta: Record<string, string>): string | undefined {
  const [other] = Object.keys(meta).filter((key) => key !== 'name');
  if (other !== undefined) return `unknown option --${other}`;
  if (op === 'put') return undefined;
  return 'artifacts add: expected one file or --location, never both';
}

async function deleteFails(
  { run, server }: Prepared,
  status: number,
  kind: new (message: string) => UserError,
) {
  server.faults.plan(/^DELETE .*artifacts/, { kind: 'status', status, message: 'no' }, 99);
  await fails(run(['delete', 'gateway-1']), kind, String(status));
  expect(server.state.artifacts.size).toBe(2);
}

async function fails(
  run: Promise<{ error: Error | undefined }>,
  kind: new (message: string) => UserError,
  words: string,
): Promise<void> {
  const { error } = await run;
  expect(error).toBeInstanceOf(kind);
  expect(error?.message).toContain(words);
}

function namesIn(stdout: string): string[] {
  return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
}

describe('a verb of the image service', () => {
  test.each(exchanges)('$name', async ({ name }) => {
    await VERBS[name]!(await prepared());
  });
});

describe('fields', () => {
  test.each(fields.validation.filter(({ op }) => op === 'query'))('query $meta', async ({ meta, ok }) => {
    const query = Object.entries(meta).map(([key, value]) => `${key}=${value}`);
    for (const verb of ['list', 'detail', 'delete']) {
      const { run } = await prepared();
      const { error } = await run([
        verb,
        '--query',
        query.join(','),
        ...(verb === 'delete' ? ['--dry-run'] : []),
      ]);
      if (ok) expect(error).toBeUndefined();
      else expect(error?.message).toContain('unknown key "bogus"');
    }
  });

  // An artifact's fields are in its file, and the server reads them there: `name` is the file's,
  // and all others but the description are unknown options, whether the image service called them
  // valid, read-only or wrong.
  test.each(fields.validation.filter(({ op }) => op !== 'query'))('$op $meta', async ({ op, meta }) => {
    const { run, server } = await prepared();
    const { name, ...others } = meta;
    const words =
      op === 'post'
        ? ['add', ...(name === undefined ? [] : [makeArtifact({ name })])]
        : ['update', 'gateway-1', ...(name === undefined ? [] : ['--description', name])];
    const options = Object.entries(others).flatMap(([key, value]) => [`--${key}`, value]);
    const before = [...server.state.artifacts.values()];
    const { error } = await run([...words, ...options]).catch((thrown: unknown) => ({ error: thrown }));
    expect(error instanceof Error ? error.message : error).toBe(refusalOf(op, meta));
    const expected = before.map((artifact) =>
      op === 'put' && error === undefined && artifact.name === 'gateway-1'
        ? (expect.objectContaining({ description: name }) as unknown)
        : artifact,
    );
    expect([...server.state.artifacts.values()]).toEqual(expected);
  });

  test.each([
    [['add']],
    [['add', 'a.mender', '--location', 'http://127.0.0.1/a.mender']],
    [['add', 'a.mender', 'b.mender']],
    [['update', '--description', 'x']],
    [['update', 'gateway-1', '--replace', 'a.mender', '--location', 'http://127.0.0.1/a.mender']],
    [['detail', 'gateway-1', '--query', 'name=x']],
    [['list', '--sort', 'colour']],
  ])('%j is refused', async (words) => {
    const { run } = await prepared();
    expect((await run(words)).error).toBeInstanceOf(UsageError);
  });
});

/**
 * What the image service kept of an image, and what stands in its place on a Mender server. Its
 * counters of reads, and the states in which a store is filled behind an image's back, have no
 * counterpart: a client can't count for a server, and an artifact is there with all its bytes or
 * not at all.
 */
const STATES: Record<string, (store: Prepared) => Promise<void>> = {
  'post meta only': ({ run }) => fails(run(['add']), UsageError, 'expected one file or --location'),
  'post meta with location': async ({ run, server, paths }) => {
    const url = await serving(readFileSync(makeArtifact({ name: 'gateway-3' })));
    expect(paths).toHaveLength(2);
    expect((await run(['add', '--location', url])).error).toBeUndefined();
    expect(server.state.artifacts.size).toBe(3);
  },
  'post/put with file: before bytes': async ({ run, server }) => {
    server.faults.plan(/^POST .*\/artifacts$/, { kind: 'status', status: 503 }, 99);
    await fails(run(['add', makeArtifact({ name: 'gateway-3' })]), NetworkError, '503');
    expect(namesIn((await run(['list'])).stdout)).toEqual(['gateway-1', 'gateway-2']);
  },
  'post/put with file: stored': async ({ run }) => {
    const { stdout } = await run(['detail', 'gateway-1']);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'gateway-1', size: expect.any(Number) as number }]);
  },
  'store failure': async ({ run, server }) => {
    server.faults.plan(/^POST .*\/artifacts$/, { kind: 'status', status: 500, message: 'disk' }, 99);
    await fails(run(['add', makeArtifact({ name: 'gateway-3' })]), NetworkError, '500');
    expect(server.state.artifacts.size).toBe(2);
  },
  'put file on available or uploading': VERBS['put-busy-409']!,
};

test.each(fields.status_machine)('status: $event', async ({ event }) => {
  await STATES[event]!(await prepared());
});

const SERVER_ERRORS: Record<string, (store: Prepared) => Promise<void>> = {
  'location and body both given': ({ run, paths }) =>
    fails(run(['add', paths[0]!, '--location', 'http://127.0.0.1/a.mender']), UsageError, 'never both'),
  // There is one kind of store, which is the server's own.
  'store or location is http and body given': ({ run, paths }) =>
    fails(run(['add', paths[0]!, '--location', 'http://127.0.0.1/a.mender']), UsageError, 'never both'),
  'put with neither meta nor body': VERBS['put-empty-400']!,
  'body not application/octet-stream': async ({ run, server }) => {
    await run(['add', makeArtifact({ name: 'gateway-3' })]);
    // The stand-in refuses a part of another type.
    expect(server.violations).toEqual([]);
  },
  'auth missing or wrong': ({ run, server }) => {
    server.state.tokens.clear();
    return fails(run(['list']), DeniedError, '401');
  },
  'image missing': VERBS['get-missing']!,
  'back end down': ({ run, server }) => {
    server.faults.plan(/^GET .*\/artifacts$/, { kind: 'status', status: 503 }, 99);
    return fails(run(['list']), NetworkError, '503');
  },
};

test.each(fields.server_errors)('error: $when', async ({ when }) => {
  await SERVER_ERRORS[when]!(await prepared());
});

const LIST_RULES: Record<string, (store: Prepared) => Promise<void>> = {
  brief: async ({ run }) => {
    const { stdout } = await run(['list'], false);
    expect(stdout.split('\n')[0]).toMatch(/^ID +NAME +/);
    expect(stdout).not.toContain('depends');
  },
  detail: async ({ run }) => {
    expect((await run(['detail', 'gateway-1'], false)).stdout).toContain('name: gateway-1');
  },
  default_sort: async ({ run }) =>
    expect(namesIn((await run(['list'])).stdout)).toEqual(['gateway-1', 'gateway-2']),
  // An empty list is an answer here, and no error.
  empty: async ({ run }) => {
    const { stdout, error } = await run(['list', '--query', 'name=none']);
    expect([error, namesIn(stdout)]).toEqual([undefined, []]);
  },
};

test.each(Object.keys(fields.list_rules))('list: %s', async (rule) => {
  await LIST_RULES[rule]!(await prepared());
});

test('reads are not counted: nothing is written by them', async () => {
  expect(Object.keys(fields.read_counts)).toEqual(['get or head increments', 'sets']);
  const { run, server, folder } = await prepared();
  const before = structuredClone([...server.state.artifacts.values()]);
  await run(['head', 'gateway-1']);
  await run(['download', 'gateway-1', '-o', join(folder, 'got')]);
  expect([...server.state.artifacts.values()]).toEqual(before);
});

/** An address that serves these bytes, whole. */
async function serving(bytes: Buffer): Promise<string> {
  return `${await listen((_request, response) => response.end(bytes))}/a.mender`;
}

test('detail shows all that is known, in order', async () => {
  const { run } = await prepared();
  const all = await run(['detail', '--query', 'name=gateway-*', '--sort', 'name:desc']);
  expect(namesIn(all.stdout)).toEqual(['gateway-2', 'gateway-1']);
  expect((await run(['detail'])).stdout).toBe((await run(['detail', 'gateway-1', 'gateway-2'])).stdout);
  const text = await run(['detail', 'gateway-1', 'gateway-2'], false);
  expect(text.stdout).toMatch(/name: gateway-1[^]*\n\n[^]*name: gateway-2/);
  expect((await run(['detail', '--query', 'name=none'], false)).stdout).toBe('no artifact matches');
});

test('an upload that was cut off is finished by the next one', async () => {
  const { run, server } = await prepared();
  server.faults.plan(/^POST .*\/artifacts$/, { kind: 'status', status: 503 }, 99);
  const lost = makeArtifact({ name: 'gateway-3' });
  await fails(run(['add', lost]), NetworkError, '503');
  server.faults.clear();
  const { stdout } = await run(['add', makeArtifact({ name: 'gateway-4' })]);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'gateway-4', finished: [{ name: 'gateway-3' }] });
  expect(server.state.artifacts.size).toBe(4);
}, 60_000);

import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  NetworkError,
  UsageError,
  artifactStore,
  build,
  containerLibrary,
  fleet,
  starmap,
} from '../../src/index.ts';
import { methodsWithoutSecrets, withoutSecrets } from '../../src/api/withoutSecrets.ts';
import { registerSecret } from '../../src/io/redact.ts';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const TOKEN = 'libraryTOKENvalue123456';
const PASSWORD = 's3cretPASSWORD';

/** The error of a call, with all that it holds, and all that it logged. */
async function told(call: (log: Record<'warning' | 'info' | 'debug', (text: string) => void>) => unknown) {
  const lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  try {
    await call({ warning: note, info: note, debug: note });
  } catch (error) {
    const { stack = '' } = error as Error;
    return { error, text: `${inspect(error, { depth: 9 })}\n${stack}`, log: lines.join('\n') };
  }
  throw new Error('the call did not fail');
}

async function allOf(items: AsyncIterable<unknown>): Promise<void> {
  const all = [];
  for await (const item of items) all.push(item);
}

const echo =
  (status: number) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const text = JSON.stringify({ error: `bad ${request.headers.authorization}`, message: request.url });
    response.writeHead(status, { 'retry-after': '0' }).end(text);
  };

describe('a server that quotes the token gets it into no error and no log', () => {
  it.each([400, 401, 403, 404, 409, 500])('with status %i', { timeout: 60_000 }, async (status) => {
    const host = await listen(echo(status));
    const folder = temporaryFolder();
    const calls = [
      (log: never) => artifactStore({ host, token: TOKEN }, { folder, log }).list(),
      (log: never) => fleet({ host, token: TOKEN }, { folder, log }).groups(),
      (log: never) => allOf(fleet({ host, token: TOKEN }, { folder, log }).devices()),
      (log: never) => containerLibrary({ address: host, token: TOKEN }, { folder, log }).version(),
    ];
    for (const call of calls) {
      const { text, log, error } = await told((given) => call(given as never));
      expect(text + log).not.toContain(TOKEN);
      expect(error).toHaveProperty('exitCode');
    }
  });

  it('of a registry', async () => {
    const host = await listen(echo(400));
    const folder = temporaryFolder();
    const image = `${new URL(host).host}/x:1`;
    writeFileSync(join(folder, 'compose.yaml'), `services: {web: {image: "${image}"}}\n`);
    const auth = Buffer.from(`u:${PASSWORD}`).toString('base64');
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [new URL(host).host]: { auth } } }));
    const { text, log } = await told((given) =>
      build(
        {
          manifest: ['.'],
          deviceType: ['d'],
          platform: 'linux/amd64',
          artifactVersion: '1',
          manifestName: 's',
        },
        { folder, log: given, environment: { DOCKER_CONFIG: folder, HOME: folder } },
      ),
    );
    expect(text + log).toContain(new URL(host).host);
    expect(text + log).not.toContain(PASSWORD);
    expect(text + log).not.toContain(auth);
  });

  it('of destination maps, with a password in their address', { timeout: 60_000 }, async () => {
    const host = await listen(echo(400));
    const url = host.replace('//', `//user:${PASSWORD}@`);
    const { text, log } = await told((given) => starmap({ url }, { log: given }).policies());
    expect(text).toContain('***@');
    expect(text + log).not.toContain(PASSWORD);
  });
});

describe('refuses the token', () => {
  it.each(['abcd\nX-Evil: y', 'abcd\r\nX-Evil: y', 'abcd efgh', 'pässword', 'abcd\0efgh'])(
    '%j, and sends nothing',
    async (token) => {
      let asked = 0;
      const host = await listen((_request, response) => {
        asked++;
        response.end('[]');
      });
      for (const open of [
        () => artifactStore({ host, token }).list(),
        () => containerLibrary({ address: host, token }).version(),
        () => fleet({ host, token }).groups(),
      ]) {
        const { error, text } = await told(open);
        expect(error).toBeInstanceOf(UsageError);
        expect(text).toContain('expected a token on one line');
        expect(text).not.toContain(token);
      }
      expect(asked).toBe(0);
    },
  );
});

describe('withoutSecrets', () => {
  registerSecret(TOKEN);
  const failure = (): Error =>
    new NetworkError(`a ${TOKEN}`, { hint: `b ${TOKEN}`, cause: new Error(`c ${TOKEN}`, { cause: TOKEN }) });

  it.each<[string, () => unknown]>([
    [
      'at once',
      () =>
        withoutSecrets(() => {
          throw failure();
        }),
    ],
    ['later', () => withoutSecrets(() => Promise.reject(failure()))],
    ['in a method', () => methodsWithoutSecrets({ method: () => Promise.reject(failure()) }).method()],
  ])('keeps the class of an error that is thrown %s', async (_name, call) => {
    const { error, text } = await told(call);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({
      message: 'a ***',
      hint: 'b ***',
      cause: { message: 'c ***', cause: '***' },
    });
    expect(text).not.toContain(TOKEN);
  });

  it('ends at causes in a circle', async () => {
    const error = new Error(`a ${TOKEN}`);
    error.cause = error;
    expect((await told(() => withoutSecrets(() => Promise.reject(error)))).error).toBe(error);
    expect(error.message).toBe('a ***');
  });

  it('passes results and properties on', async () => {
    const { host, method } = methodsWithoutSecrets({
      host: 'h',
      method: (a: number) => Promise.resolve(a + 1),
    });
    expect([host, await method(1)]).toEqual(['h', 2]);
  });
});

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DeniedError, NetworkError, NotFoundError, UsageError } from '../../src/errors.ts';
import { download } from '../../src/download/download.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import type { Progress } from '../../src/io/progress.ts';
import type { Library } from '../../src/library/client.ts';
import { libraryBase } from '../../src/library/client.ts';
import { deleteImage, getImage } from '../../src/library/images.ts';
import { locateInLibrary, locateFile } from '../../src/library/locateFile.ts';
import { search } from '../../src/library/search.ts';
import { uploadImage } from '../../src/library/upload/upload.ts';
import { askVersion } from '../../src/library/version.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { CONTENT, described, expected, replay } from './replay.ts';
import type { Exchange } from './replay.ts';
import { vectors } from './vectors.ts';

interface Scenario {
  name: string;
  call: {
    op: string;
    arch?: string;
    ref?: string;
    path?: string;
    tag?: string;
    tags?: string[];
    args?: { value?: string; arch?: string };
    partSize?: number;
    concurrency?: number;
    payload_length?: number;
    description?: string;
  };
  exchanges: Exchange[] | null;
  error?: string;
  result: Record<string, unknown> | null;
}

const { scenarios } = vectors('library-http') as { scenarios: Scenario[] };

/** What the original's errors are here. */
const ERRORS: [RegExp, new (message: string) => Error][] = [
  [/at least 3 characters|must be specified|are required|malformed image path/, UsageError],
  [/status code: 500/, NetworkError],
  [/not found/, NotFoundError],
  [/401|unauthorized/, DeniedError],
];

/** Progress in the words of the vectors. */
function recorder(): { progress: Progress; total: () => number; events: string[] } {
  let total = 0;
  const events: string[] = [];
  const start: Progress['start'] = (_label, size) => {
    events.push(`init(${size ?? ''})`);
    return { advance: (bytes) => (total += bytes), end: () => events.push('end') };
  };
  return { progress: { start }, total: () => total, events };
}

type Perform = (library: Library, scenario: Scenario, folder: string, progress: Progress) => Promise<unknown>;

const PERFORM: Record<string, Perform> = {
  getVersion: (library) => askVersion(library),
  search: async (library, { call: { args = {} } }) => {
    const found = await search(library, args.value ?? '', { arch: args.arch });
    return Object.fromEntries(
      Object.entries(found).map(([kind, list]) => [kind, (list as unknown[]).length]),
    );
  },
  getImage: async (library, { call: { ref = '', arch = '' } }) => {
    const { id, hash, size, uploaded } = await getImage(library, { ref, arch });
    return { id, hash, size, uploaded };
  },
  deleteImage: (library, { call: { ref = '', arch = '' } }) => deleteImage(library, { ref, arch }),
  downloadImage: async (library, { call: { path = '', tag = '' } }, folder, progress) => {
    const file = await locateInLibrary(library, { path, tag, arch: 'amd64' });
    return download(file, join(folder, 'file'), { log: silentLog, progress });
  },
  concurrentDownload: async (library, { call }, folder, progress) => {
    const { path = '', tag = '', arch = '', partSize = 0, concurrency = 0 } = call;
    const parts = { size: partSize, workers: concurrency };
    const file = await locateFile(library, { path, tag, arch }, parts);
    return download(file, join(folder, 'file'), { log: silentLog, progress });
  },
  uploadImage: async (library, { call }, folder, progress) => {
    const { path = '', tags = [], arch = '', description = '', payload_length = 0 } = call;
    const file = join(folder, 'payload');
    writeFileSync(file, payloadOf(payload_length));
    const { receipt } = await uploadImage(library, { file, path, arch, tags, description }, progress);
    return receipt ?? null;
  },
};

function payloadOf(length: number): Buffer {
  if (length === 33) return Buffer.from('THIS IS A TEST FOR SHA256 SUMMING');
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, position) => position),
  );
}

/**
 * The digests in the vectors are of bytes that the vectors don't keep: those of what is replayed
 * take their place.
 */
function withDigests(exchanges: readonly Exchange[]): Exchange[] {
  let text = JSON.stringify(exchanges);
  const digests = (): string[] => [
    ...new Set(text.match(/\/(?:manifests|blobs)\/sha256:[0-9a-f]{64}/g) ?? []),
  ];
  // From the leaves up: what a document names changes its own digest.
  for (const place of digests().reverse()) {
    const digest = place.split('/').at(-1)!;
    const found = (JSON.parse(text) as Exchange[]).find(
      ({ path, response }) => path.endsWith(digest) && response.status === 200,
    );
    if (found === undefined) continue;
    const sum = createHash('sha256').update(JSON.stringify(found.response.body)).digest('hex');
    text = text.replaceAll(digest, `sha256:${sum}`);
  }
  const content = createHash('sha256').update(CONTENT).digest('hex');
  return JSON.parse(
    text.replaceAll('f54e5c8f810648e7638d25eb7ed6d24b7e5999d588e88826f2aa837d2ee52ecd', content),
  ) as Exchange[];
}

/**
 * Once challenged, the client shows its token at once: later challenges of the vectors never
 * happen.
 */
function withOneChallenge(exchanges: readonly Exchange[]): Exchange[] {
  const isChallenge = ({ response }: Exchange): boolean =>
    response.status === 401 && response.headers?.['www-authenticate'] !== undefined;
  const first = exchanges.find(isChallenge);
  return exchanges.filter((exchange) => exchange === first || !isChallenge(exchange));
}

async function play(scenario: Scenario) {
  const exchanges = withDigests(scenario.exchanges ?? []);
  const server = await replay(withOneChallenge(exchanges));
  const http = createHttp({ log: silentLog, userAgent: 'oracle/1', retries: { pausesMs: [] } });
  const library: Library = { http, log: silentLog, base: libraryBase(server.base), token: 'TOKEN' };
  const folder = temporaryFolder();
  const shown = recorder();
  const outcome = await PERFORM[scenario.call.op]!(library, scenario, folder, shown.progress).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { exchanges, server, folder, outcome, shown };
}

/** Ranges are fetched in any order. */
function inOrder(exchanges: readonly Exchange[]): Exchange[] {
  const start = ({ headers }: Exchange) => Number(/\d+/.exec(String(headers?.['range']))?.[0] ?? -1);
  return [...exchanges].sort((a, b) => start(a) - start(b));
}

describe('the exchanges of the vectors', () => {
  test.each(scenarios)('$name $#', async (scenario) => {
    const { exchanges, server, outcome, folder, shown } = await play(scenario);
    // A malformed path is refused before the first request.
    const wanted = scenario.name === 'download-colon-in-path' ? [] : withOneChallenge(exchanges);
    expect(server.unexpected).toEqual([]);
    expect(server.seen).toHaveLength(wanted.length);
    const seen = inOrder(
      server.seen.map((one) => ({
        ...one,
        headers: one.headers as Record<string, string>,
        response: { status: 0 },
      })),
    );
    inOrder(wanted).forEach((exchange, position) => {
      expect(described(seen[position] as never, exchange)).toEqual(expected(exchange));
    });
    if (scenario.error !== undefined) {
      const [, kind] = ERRORS.find(([pattern]) => pattern.test(scenario.error!))!;
      expect('error' in outcome ? outcome.error : outcome).toBeInstanceOf(kind);
      return;
    }
    expect(outcome).not.toHaveProperty('error');
    if (/download/i.test(scenario.call.op)) {
      expect(readFileSync(join(folder, 'file'))).toEqual(CONTENT);
      expect(shown.total()).toBe(CONTENT.length);
    } else {
      const result = scenario.result ?? {};
      const response = 'response' in result ? result['response'] : scenario.result;
      expect('value' in outcome ? outcome.value : undefined).toEqual(
        response ?? (scenario.call.op === 'uploadImage' ? null : response),
      );
    }
    expect(shown.events.filter((event) => event === 'end').length).toBeLessThanOrEqual(1);
  });
});

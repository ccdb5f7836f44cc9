import { createHttp } from '../../src/http/http.ts';
import { createLog, silentLog } from '../../src/io/log.ts';
import { noProgress } from '../../src/io/progress.ts';
import type { Api } from '../../src/server/api.ts';
import { createApi } from '../../src/server/api.ts';
import type { MenderServer } from '../helpers/menderServer/menderServer.ts';

/** The API of the stand-in, with short waits. */
function apiOf(server: MenderServer, signal?: AbortSignal): Api {
  const http = createHttp({ log: silentLog, retries: { pausesMs: [1, 1] } });
  return createApi({ http, host: server.url, authorization: `Bearer ${server.token}`, signal });
}

/** What uploads and waits need in addition to the API; `lines` is what they logged. */
export function contextOf(server: MenderServer, signal?: AbortSignal) {
  const lines: string[] = [];
  const log = createLog('debug', (line) => void lines.push(line));
  return { api: apiOf(server, signal), log, progress: noProgress, pauseMs: 1, lines };
}

/** Calls of one kind that the stand-in has seen. */
export function callsOf(server: MenderServer, pattern: RegExp): number {
  return server.calls.filter((call) => pattern.test(call)).length;
}

import { onTestFinished } from 'vitest';
import { startMenderServer } from './mender-server-start.ts';
import type { MenderServer } from './mender-server-start.ts';
import type { ServerOptions } from './mender-server-state.ts';

export type { MenderServer } from './mender-server-start.ts';

/** Starts a stand-in that is closed when the test ends, which fails if anybody broke the API description. */
export async function menderServer(options: ServerOptions = {}): Promise<MenderServer> {
  const server = await startMenderServer(options);
  onTestFinished(async () => {
    await server.close();
    if (server.violations.length > 0) throw new Error(`API violations:\n${server.violations.join('\n')}`);
  });
  return server;
}

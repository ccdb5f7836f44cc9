import { onTestFinished } from 'vitest';
import { startMenderServer } from './start.ts';
import type { MenderServer } from './start.ts';
import type { ServerOptions } from './state.ts';

export type { MenderServer } from './start.ts';

/**
 * Starts a stand-in that is closed when the test ends, which fails if anybody broke the API
 * description.
 */
export async function menderServer(options: ServerOptions = {}): Promise<MenderServer> {
  const server = await startMenderServer(options);
  onTestFinished(async () => {
    await server.close();
    if (server.violations.length > 0) throw new Error(`API violations:\n${server.violations.join('\n')}`);
  });
  return server;
}

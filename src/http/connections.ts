import { globalAgent } from 'node:https';
import { httpAgent } from './blocks.ts';
import { closeTunnels } from './tunnel.ts';

/**
 * Closes the connections that stay open for further requests, as they keep the process alive for
 * seconds.
 */
export function closeConnections(): void {
  httpAgent.destroy();
  globalAgent.destroy();
  closeTunnels();
}

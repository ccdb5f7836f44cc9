import { Agent } from 'node:http';
import type { ClientRequestArgs } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';

/**
 * What connections read into, one after the other, as nothing of it is kept. What Node does by itself, 64 KiB in memory
 * that is new each time, costs more than all else in a download.
 */
const block = Buffer.allocUnsafeSlow(1 << 18);

/** Takes what arrives on a connection in place of Node's parser of answers. */
export interface Taker {
  /** Where the next bytes go: never empty. */
  space(): Buffer;
  /** `bytes` have arrived, in `space()` or, at first, elsewhere. False to read no further until the connection is resumed. */
  arrived(bytes: Buffer): boolean;
}

const states = new WeakMap<Socket, { taker?: Taker }>();

/** Connections of plain http, kept open as Node's global agent keeps them. */
export const httpAgent: Agent = Object.assign(
  new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
  { createConnection: connectReadingBlocks },
);

function connectReadingBlocks(options: ClientRequestArgs): Socket {
  const state: { taker?: Taker } = {};
  const onread = {
    buffer: () => state.taker?.space() ?? block,
    callback: (length: number, buffer: Buffer): boolean => {
      const bytes = buffer.subarray(0, length);
      if (state.taker !== undefined) return state.taker.arrived(bytes);
      // The parser listens to this; it copies what it passes on before it returns.
      socket.emit('data', bytes);
      return true;
    },
  };
  const socket = connect({ ...options, onread } as NetConnectOpts);
  states.set(socket, state);
  return socket;
}

/**
 * A function that hands all further bytes of a connection to a taker; the connection serves no other request then.
 * Undefined where it isn't one of `httpAgent`.
 */
export function takeoverOf(socket: Socket): ((taker: Taker) => void) | undefined {
  const state = states.get(socket);
  return state && ((taker) => (state.taker = taker));
}

/** Ends all connections that are kept open for further requests; until then they keep the process alive for seconds. */
export function closeConnections(): void {
  httpAgent.destroy();
  httpsAgent.destroy();
}

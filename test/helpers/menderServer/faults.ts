import type { IncomingMessage, ServerResponse } from 'node:http';

/** How a call goes wrong. */
export type Fault =
  /** This answer instead of the right one; nothing is done. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; message?: string }
  /** The connection breaks before anything is done. */
  | { kind: 'cutBefore' }
  /** The connection breaks after the call was carried out. */
  | { kind: 'cutAfter' }
  /** The connection breaks after so many bytes of the request have arrived. */
  | { kind: 'cutRequest'; bytes: number }
  /** The connection breaks after so many bytes of the answer were sent (storage only). */
  | { kind: 'cutResponse'; bytes: number }
  /** The right answer, late. */
  | { kind: 'slow'; milliseconds: number };

interface Planned {
  call: RegExp;
  fault: Fault;
  times: number;
}

/** The faults that are still to come. */
export class Faults {
  #planned: Planned[] = [];

  /** The next `times` calls whose `METHOD /path` matches go wrong like this. */
  plan(call: RegExp, fault: Fault, times = 1): void {
    this.#planned.push({ call, fault, times });
  }

  /** Everything goes well from now on. */
  clear(): void {
    this.#planned = [];
  }

  take(method: string, path: string): Fault | undefined {
    const found = this.#planned.find((one) => one.times > 0 && one.call.test(`${method} ${path}`));
    if (found === undefined) return undefined;
    found.times -= 1;
    return found.fault;
  }
}

/** Carries out a fault around `answer`; true when the request is done with. */
export async function misbehave(
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  refuse: (status: number, message: string) => void,
): Promise<boolean> {
  // A request that is left in the middle forgets its socket.
  const { socket } = request;
  switch (fault?.kind) {
    case 'status':
      request.resume();
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
      refuse(fault.status, fault.message ?? 'out of order');
      return true;
    case 'cutBefore':
      socket.destroy();
      return true;
    case 'cutRequest': {
      let seen = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        seen += chunk.length;
        if (seen >= fault.bytes) break;
      }
      socket.destroy();
      return true;
    }
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, fault.milliseconds));
      return false;
    case 'cutAfter':
    case 'cutResponse':
    case undefined:
      return false;
  }
}

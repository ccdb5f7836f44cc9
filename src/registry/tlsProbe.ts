import { isIP } from 'node:net';
import { connect } from 'node:tls';

/** Enough for an address of this machine. A TLS server answers a greeting at once. */
const PATIENCE_MS = 1000;

/**
 * Returns true if a TLS server listens at an address of this machine. It sends no request, so no
 * certificate is checked here: the requests that follow check it.
 */
export function speaksTls({ hostname, port }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      timeout: PATIENCE_MS,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.on('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

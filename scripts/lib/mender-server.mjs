// The stand-in Mender server in a process of its own: prints its URL and a token as JSON, and ends
// with its stdin.
//
//   node --import ./test/helpers/typescript.js scripts/lib/mender-server.mjs
import { startMenderServer } from '../../test/helpers/menderServer/start.ts';

const server = await startMenderServer();
console.log(JSON.stringify({ url: server.url, token: server.token }));
process.stdin.resume().once('end', () => void server.close());

// A process of its own that uploads a file: HOST TOKEN FILE.
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { noProgress } from '../../src/io/progress.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { createApi } from '../../src/server/api.ts';

const [host = '', token = '', path = ''] = process.argv.slice(2);
const http = createHttp({ log: silentLog });
const api = createApi({ http, host, authorization: `Bearer ${token}` });
await uploadArtifact({ path }, { api, log: silentLog, progress: noProgress });

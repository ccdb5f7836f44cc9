// A process of its own that counts the devices of a fleet: HOST TOKEN [hold].
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { takeCensus } from '../../src/pipeline/fleet/census.ts';
import { listDevices } from '../../src/pipeline/fleet/devices.ts';
import { createApi } from '../../src/server/api.ts';

const [host = '', token = ''] = process.argv.slice(2);
const http = createHttp({ log: silentLog });
const api = createApi({ http, host, authorization: `Bearer ${token}` });
const key = 'rootfs-image.shop.version';
const devices = listDevices(api, { versionKeys: [key] });
console.log(JSON.stringify(await takeCensus('shop', [key], devices)));

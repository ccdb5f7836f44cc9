import { expect, onTestFinished, test } from 'vitest';
import { createHttp } from '../../../src/http/http.ts';
import { silentLog } from '../../../src/io/log.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { rememberingSource } from '../../../src/pipeline/images/sources.ts';
import { registrySource } from '../../../src/registry/source.ts';
import { testCache } from '../../helpers/cache.ts';
import { buildImage } from '../../helpers/images.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';

test('a tag that moves means one image in a run, and the next run sees the other', async () => {
  const [one, two] = [{ a: 'one' }, { a: 'two' }].map((files) => buildImage({ layers: [files] }));
  const registry = await startMisbehavingRegistry([
    {
      match: /^HEAD/,
      times: 1,
      act: (_request, _response, serve) => {
        serve();
        registry.add('app', '1', two!);
      },
    },
  ]);
  onTestFinished(() => registry.stop());
  registry.add('app', '1', one!);
  const http = createHttp({ log: silentLog });
  const credentials = () => Promise.resolve(undefined);
  const cache = testCache();
  const startRun = () => {
    const source = rememberingSource(registrySource({ http, log: silentLog, credentials }), cache, true);
    return async (name: string): Promise<string | undefined> => {
      const reference = parseReference(`${registry.host}/${name}`);
      const image = await source.resolve({ reference, platform: parsePlatform('linux/amd64') });
      return image?.configDigest;
    };
  };
  const look = startRun();
  expect(await look('app:1')).toBe(one!.configDigest);
  expect(await look('app:1')).toBe(one!.configDigest);
  const lookAgain = startRun();
  expect(await lookAgain('app:1')).toBe(two!.configDigest);
  expect(await lookAgain(`app@${one!.descriptor.digest}`)).toBe(one!.configDigest);
});

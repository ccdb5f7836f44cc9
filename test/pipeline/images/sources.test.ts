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

test('a tag that moves while it is looked up is not remembered as what it was before', async () => {
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
  const source = rememberingSource(registrySource({ http, log: silentLog, credentials }), testCache(), true);
  const look = async (name: string): Promise<string | undefined> =>
    (
      await source.resolve({
        reference: parseReference(`${registry.host}/${name}`),
        platform: parsePlatform('linux/amd64'),
      })
    )?.configDigest;
  expect(await look('app:1')).toBe(one!.configDigest);
  expect(await look('app:1')).toBe(two!.configDigest);
  expect(await look(`app@${one!.descriptor.digest}`)).toBe(one!.configDigest);
});

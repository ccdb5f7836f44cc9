import type { Platform } from '../../oci/platform.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { Context } from '../terminal/command.ts';
import type { DestineFlags } from './plan.ts';
import { checkDestinations } from './plan.ts';

/**
 * What is to be built for the destinations of a map, under the names that the map's meta gives. Throws what
 * `checkDestinations` throws, before anything is built.
 */
export async function prepareDestinations(
  prepared: Prepared,
  platform: Platform,
  flags: DestineFlags,
  context: Context,
): Promise<Prepared> {
  const [first] = prepared.plans;
  if (first === undefined) return prepared;
  const { application, version } = first;
  const { architecture } = platform;
  const name = await checkDestinations({ application, version, architecture }, flags, context);
  if (name === undefined) return prepared;
  const usual = `${application}-${version}`;
  // What tells several artifacts of one run apart stays behind the name.
  const plans = prepared.plans.map((plan) => {
    return { ...plan, artifactName: name + plan.artifactName.slice(usual.length) };
  });
  return { ...prepared, plans };
}

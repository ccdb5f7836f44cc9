import { RESOURCES, resourcesOf } from '../read/check/resources.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { asMapping, scalarText } from '../read/yaml/value.ts';

/** Returns the names in each section of resources that the active services use. */
export function usedResources(model: Mapping, active: ReadonlySet<string>): Map<string, Set<string>> {
  const services = asMapping(model['services']);
  const used = new Map<string, Set<string>>(RESOURCES.map((section) => [section, new Set<string>()]));
  for (const name of active) {
    const service = asMapping(services[name]);
    for (const section of RESOURCES) {
      for (const resource of resourcesOf(service, section)) used.get(section)?.add(resource);
    }
    if (usesDefaultNetwork(service)) used.get('networks')?.add('default');
    const credential = scalarText(asMapping(service['credential_spec'])['config']);
    if (credential !== '') used.get('configs')?.add(credential);
  }
  return used;
}

function usesDefaultNetwork(service: Mapping): boolean {
  return service['network_mode'] === undefined && resourcesOf(service, 'networks').length === 0;
}

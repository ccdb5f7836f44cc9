import { UsageError } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';
import { isRegistryHost } from '../../oci/reference.ts';
import { certificateFolders, certificateLookup } from '../../registry/certificates.ts';
import { credentialLocation } from '../../registry/credentialFiles.ts';
import { dockerCredentials } from '../../registry/credentials.ts';
import type { RegistryAccess } from '../../registry/files/context.ts';
import type { Context } from '../terminal/command.ts';

/**
 * Returns how registries are reached: with the credentials and certificates that Docker and podman
 * use. Throws UsageError for an invalid --insecure-registry.
 */
export function registryAccess(
  { insecureRegistry = [] }: { insecureRegistry?: readonly string[] },
  { environment, home, http, log }: Context,
): RegistryAccess {
  return {
    http,
    log,
    credentials: dockerCredentials(credentialLocation(environment, home)),
    certificates: certificateLookup(certificateFolders(environment, home)),
    insecureRegistries: insecureRegistry.map(registryHost),
  };
}

function registryHost(text: string): string {
  if (isRegistryHost(text)) return text;
  throw new UsageError(`--insecure-registry ${JSON.stringify(hideCredentials(text))} is not HOST[:PORT]`, {
    hint: 'write it as images name it, like registry.lan:5000',
  });
}

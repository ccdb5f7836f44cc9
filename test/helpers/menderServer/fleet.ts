import type { MenderServer } from './menderServer.ts';
import { dependsAreMet, nextFor, chooseArtifact, report, statusOf } from './state.ts';
import type { Deployment, Device } from './state.ts';

/** Everything that devices of a fleet were given, for a test to judge. */
export interface Given {
  device: string;
  /** Id of the artifact. */
  artifact: string;
  outcome: 'success' | 'failure';
  /** Whether the device met what the artifact depends on. */
  met: boolean;
}

export interface FleetOptions {
  /** A number from 0 to 1, the next one of a seeded row. */
  random: () => number;
  /** The key under which devices report the version. */
  key: string;
  /**
   * How often an update fails, a failed one leaves the device broken, inventory is late, a device
   * vanishes, takes another version, or says nothing more, be it in the middle of its update.
   */
  chances: Record<'failure' | 'late' | 'vanish' | 'other', number> &
    Partial<Record<'broken' | 'silent', number>>;
}

const BROKEN = '_INCONSISTENT';

/**
 * The devices of a stand-in, moved on step by step and without requests. A device refuses an
 * artifact whose depends it does not meet, as a client does; its inventory may be late.
 */
export class Fleet {
  readonly given: Given[] = [];
  /** Devices that say nothing more. */
  readonly silent = new Set<string>();
  /** Devices that took another version by themselves. */
  readonly strayed = new Set<string>();
  readonly #server: MenderServer;
  readonly #options: FleetOptions;

  constructor(server: MenderServer, options: FleetOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Each device does one thing or nothing. */
  step(): void {
    for (const device of [...this.#server.state.devices.values()]) this.#stepOf(device);
  }

  #happens(name: keyof FleetOptions['chances']): boolean {
    const { random, chances } = this.#options;
    return random() < (chances[name] ?? 0);
  }

  #stepOf(device: Device): void {
    if (this.#happens('vanish')) {
      this.#vanish(device);
      return;
    }
    if (this.#happens('silent')) this.silent.add(device.id);
    if (this.silent.has(device.id)) return;
    if (this.#happens('other')) {
      this.strayed.add(device.id);
      this.#setVersion(device, '0.7');
    }
    if (this.#options.random() < 0.5) return;
    const { state } = this.#server;
    const deployment = nextFor(state, device.id);
    if (deployment === undefined) return;
    const status = deployment.reports.get(device.id)?.status ?? 'pending';
    if (status === 'pending') {
      this.#begin(deployment, device);
      return;
    }
    if (status === 'downloading') {
      report(deployment, device.id, { status: 'installing' });
      return;
    }
    this.#finish(deployment, device);
  }

  #begin(deployment: Deployment, device: Device): void {
    const artifact = chooseArtifact(this.#server.state, deployment.artifact_name, device);
    if (artifact === undefined) {
      report(deployment, device.id, { status: 'noartifact' });
      return;
    }
    report(deployment, device.id, { status: 'downloading', artifact: artifact.id });
  }

  #finish(deployment: Deployment, device: Device): void {
    const artifact = this.#server.state.artifacts.get(deployment.reports.get(device.id)!.artifact!)!;
    const { key } = this.#options;
    const isBroken = device.provides['artifact_name']?.endsWith(BROKEN) === true;
    // Nobody knows what a broken device runs, so a delta does not fit for sure.
    const met = dependsAreMet(artifact, device) && !(isBroken && artifact.artifact_depends[key]);
    const outcome = !met || this.#happens('failure') ? 'failure' : 'success';
    this.given.push({ device: device.id, artifact: artifact.id, outcome, met });
    report(deployment, device.id, { status: outcome });
    const version = artifact.artifact_provides[key]!;
    if (outcome === 'success') this.#setVersion(device, version, artifact.name);
    else if (met && this.#happens('broken')) this.#setVersion(device, version, artifact.name + BROKEN);
  }

  #setVersion(device: Device, version: string, artifactName = 'other'): void {
    const before = device.reported ?? { ...device.provides };
    const installed = { artifact_name: artifactName, [this.#options.key]: version };
    device.provides = { ...device.provides, ...installed };
    const isLate = this.#happens('late');
    device.reported = isLate ? before : { ...device.provides };
    if (!isLate) device.updated = new Date().toISOString();
  }

  /** A device that is decommissioned counts as finished. */
  #vanish(device: Device): void {
    this.#server.state.devices.delete(device.id);
    for (const deployment of this.#server.state.deployments.values()) {
      const isOpen = statusOf(deployment) !== 'finished' && deployment.targets.includes(device.id);
      if (isOpen && deployment.reports.get(device.id)?.finished === undefined)
        report(deployment, device.id, { status: 'decommissioned' });
    }
  }
}

import { onTestFinished } from 'vitest';
import type { MenderServer } from './menderServer.ts';
import type { Device } from './state.ts';

const API = '/api/devices/v1/deployments/device/deployments';

export interface Behaviour {
  /** How an update ends on this device. */
  outcome: 'success' | 'failure';
  /** What the device goes through before the end. */
  steps?: string[];
  /** The lines that a failing device sends. */
  log?: string[];
}

/** A device that polls the server and goes through its updates, until the test ends. */
export function simulateDevice(server: MenderServer, device: Device, behaviour: Behaviour): void {
  server.state.devices.set(device.id, device);
  let running = true;
  onTestFinished(() => {
    running = false;
  });
  const loop = async () => {
    let installed = 'none';
    while (running) {
      const before = installed;
      installed = await pollOnce(server, device, behaviour, before).catch(() => before);
      await pause(10);
    }
  };
  void loop();
}

/** One poll and, where there is an update, all of it; the name of what is installed afterwards. */
async function pollOnce(
  server: MenderServer,
  device: Device,
  behaviour: Behaviour,
  installed: string,
): Promise<string> {
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${server.url}${API}${path}`, {
      method,
      headers: { authorization: `Bearer ${device.id}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const query = new URLSearchParams({ artifact_name: installed, device_type: device.type });
  const next = await call('GET', `/next?${query.toString()}`);
  if (next.status !== 200) return installed;
  const { id, artifact } = (await next.json()) as {
    id: string;
    artifact: { artifact_name: string; source: { uri: string } };
  };
  await (await fetch(artifact.source.uri)).arrayBuffer();
  for (const status of behaviour.steps ?? ['downloading', 'installing']) {
    if ((await call('PUT', `/${id}/status`, { status })).status === 409) return installed;
  }
  if (behaviour.outcome === 'failure') {
    const messages = (behaviour.log ?? ['exit status 1']).map((message) => {
      return { timestamp: '2026-01-01T00:00:00Z', level: 'error', message };
    });
    await call('PUT', `/${id}/log`, { messages });
  }
  await call('PUT', `/${id}/status`, { status: behaviour.outcome });
  return behaviour.outcome === 'success' ? artifact.artifact_name : installed;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

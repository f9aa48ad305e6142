import { type Schemas, take, type WarrenClient } from '@warren/client';

/** What the control plane is told of a device: of its keys the public one alone. */
export interface DeviceRequest {
  readonly network: string;
  readonly name: string;
  readonly role: 'client' | 'direct' | 'bounce';
  readonly publicKey: string;
  readonly endpoint?: string;
  readonly tags: string[];
}

export type Device = Schemas['CreatedNode'];

/** @throws WarrenProblem */
export const createDevice = (rest: WarrenClient, body: DeviceRequest): Promise<Device> =>
  take(rest.POST('/api/v1/nodes', { body }));

/** The device's file, with a placeholder where its private key belongs. @throws WarrenProblem */
export const readDeviceFile = (rest: WarrenClient, id: string): Promise<string> =>
  take(rest.GET('/api/v1/nodes/{id}/wg0.conf', { params: { path: { id } }, parseAs: 'text' }));

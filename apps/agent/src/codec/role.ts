import * as wire from '@warren/proto';
import type { Role } from '@warren/topology';

const FROM_WIRE: Readonly<Record<number, Role | undefined>> = {
  [wire.Role.ROLE_CLIENT]: 'client',
  [wire.Role.ROLE_DIRECT]: 'direct',
  [wire.Role.ROLE_BOUNCE]: 'bounce',
};

/** @returns undefined for no role, or one that this version does not know. */
export const roleFromWire = (role: wire.Role): Role | undefined => FROM_WIRE[role];

/** Undefined becomes "unspecified". */
export function roleToWire(role: Role | undefined): wire.Role {
  if (role === 'client') return wire.Role.ROLE_CLIENT;
  if (role === 'direct') return wire.Role.ROLE_DIRECT;
  return role === 'bounce' ? wire.Role.ROLE_BOUNCE : wire.Role.ROLE_UNSPECIFIED;
}

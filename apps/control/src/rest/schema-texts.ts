import { parseHostPort, parsePrefix, parsePublicKey } from '@warren/base';
import { NODE_NAME_RULE } from '@warren/topology';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { isName } from '../names.js';

/** Texts that many requests and answers have. */

export const Role = z.enum(['client', 'direct', 'bounce']);
export const Name = z.string().refine(isName, NODE_NAME_RULE);
export const Cidr = z
  .string()
  .refine((text) => parsePrefix(text)?.includes('/') && text.includes('/'), 'must be a prefix such as 10.44.0.0/16');
export const PublicKeyText = z
  .string()
  .refine((text) => parsePublicKey(text), 'must be the base64 of a 32-byte WireGuard public key')
  .refine((text) => !/^A+=$/.test(text), 'must be a public key; this one is all zeros');
export const EndpointText = z
  .string()
  .refine((text) => parseHostPort(text), 'must be host:port, such as 203.0.113.5:51820');
/** In requests; what null means is said at each. */
export const Duration = z.string().refine(parseDuration, 'must be a duration such as 30m, 1h or 7d');
export const Time = z.string().meta({ format: 'date-time' });
export const Tag = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, NODE_NAME_RULE);
/** PostgreSQL refuses text with a zero byte, and terminals obey escapes. */
export function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

export const NOT_PRINTABLE = 'must have no control characters';

/** By id or, where a network is meant, by name. */
export const Reference = z.string().min(1).max(64).refine(isPrintable, NOT_PRINTABLE);

/** Of what people name, and nothing else reads. */
export const PlainText = z.string().trim().min(1).max(64).refine(isPrintable, NOT_PRINTABLE);

import { z } from 'zod';
import { Time } from './schema-texts.js';

const User = z.object({ id: z.string(), name: z.string() });
/** Its length is judged where it is hashed, so that the reason has a code of its own. */
const Password = z.string().max(4_096);

export const SignInState = z
  .object({
    setUp: z.boolean().meta({ description: 'Whether a password was set' }),
    encrypted: z
      .boolean()
      .meta({ description: 'Whether this request came over TLS, or from the machine of the control plane itself' }),
  })
  .meta({ id: 'SignInState' });

export const SignIn = z.strictObject({ name: z.string().min(1).max(64).default('admin'), password: Password });

export const UseSignInLink = z.strictObject({
  link: z.string().max(256).meta({ description: 'warrenlink_…, from the end of the URL' }),
  password: Password.meta({ description: 'The one to be: 10 characters at least, 1024 bytes at most' }),
});

export const ChangePassword = z.strictObject({
  current: Password,
  password: Password.meta({ description: 'The one to be: 10 characters at least, 1024 bytes at most' }),
});

export const CurrentSession = z
  .object({
    user: User,
    csrfToken: z.string().meta({ description: 'Goes into X-Warren-Csrf with every request that changes something' }),
    createdAt: Time,
    idleExpiresAt: Time.meta({ description: 'It ends then unless it is used before' }),
    expiresAt: Time.meta({ description: 'It ends then in any case' }),
  })
  .meta({ id: 'CurrentSession' });

export const SessionView = z
  .object({
    id: z.string(),
    user: User,
    createdAt: Time,
    lastSeenAt: Time.meta({ description: 'Exact to a minute' }),
    idleExpiresAt: Time,
    expiresAt: Time,
    address: z.string().nullable().meta({ description: 'Where it was opened from' }),
    userAgent: z.string().nullable(),
    current: z.boolean().meta({ description: 'Whether it is the one that asks' }),
  })
  .meta({ id: 'Session' });

export const SignInLinkView = z
  .object({
    url: z.string().meta({ description: 'To be opened in a browser, once' }),
    link: z.string(),
    expiresAt: Time,
  })
  .meta({ id: 'SignInLink' });

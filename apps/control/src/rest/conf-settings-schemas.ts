import { SecretKey } from '@warren/base';
import { type ConfSettings, type ConfSettingsPatch, HOOKS, type hooksOf } from '@warren/topology';
import { z } from 'zod';

const RENDERED = 'Only rendered into wg0.conf, for wg-quick to run on the member; Warren runs no command';
const commands = z.array(z.string()).meta({ description: RENDERED });

/** What a wg-quick file holds besides keys, addresses and peers (topology, `ConfSettings`). The store checks the values. */
const FIELDS = {
  dns: z.array(z.string()).meta({ description: 'Addresses of resolvers, and search domains' }),
  table: z.string().meta({ description: 'off, auto or a number' }),
  mtu: z.number().int(),
  listenPort: z.number().int().meta({ description: 'Of nodes only' }),
  fwMark: z.number().int(),
  saveConfig: z.boolean(),
  preUp: commands,
  postUp: commands,
  preDown: commands,
  postDown: commands,
  persistentKeepalive: z.number().int().meta({ description: 'Seconds, 0: off; also for agents' }),
  privateKeyCommand: z.string().meta({ description: `Prints the private key, on the member. ${RENDERED}` }),
};

export const ConfSettingsView = z
  .strictObject(FIELDS)
  .partial()
  .meta({ id: 'ConfSettings', description: 'Commands are only rendered into files, never run by Warren' });

const nullable = Object.fromEntries(
  Object.entries(FIELDS).map(([key, schema]) => [key, schema.nullish()]),
) as unknown as { [Key in keyof typeof FIELDS]: z.ZodOptional<z.ZodNullable<(typeof FIELDS)[Key]>> };

/** A change of them: what is absent stays, null goes back to the default. */
export const ConfSettingsChange = z
  .strictObject(nullable)
  .meta({ id: 'ConfSettingsChange', description: 'What is absent stays; null goes back to the default' });

/** The commands of a file, said to be what they are. */
export const HookView = z
  .object({
    when: z.enum(HOOKS),
    command: z.string(),
    runBy: z.literal('wg-quick').meta({ description: RENDERED }),
  })
  .meta({ id: 'Hook' });

/** Arrays of our own: the schema's are mutable. */
export const settingsView = (settings: ConfSettings): z.infer<typeof ConfSettingsView> =>
  structuredClone(settings) as z.infer<typeof ConfSettingsView>;

export const hooksView = (hooks: ReturnType<typeof hooksOf>): z.infer<typeof HookView>[] =>
  hooks.map((hook) => ({ ...hook, runBy: 'wg-quick' }));

/** What a request says, for the store. */
export const settingsChange = (body: z.infer<typeof ConfSettingsChange>): ConfSettingsPatch =>
  body as ConfSettingsPatch;

const PresharedKeyText = z
  .string()
  .refine((text) => SecretKey.parse(text), 'must be the base64 of 32 bytes (`wg genpsk`)')
  .refine((text) => !/^A+=$/.test(text), 'must be a key; all zeros mean none to WireGuard');

export const SetPresharedKey = z
  .strictObject({ presharedKey: PresharedKeyText.optional().meta({ description: 'Absent: a random one' }) })
  .nullish();
export const PresharedKeyView = z
  .object({
    peerId: z.string(),
    peer: z.string().meta({ description: 'Name of the other node' }),
    createdAt: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'PresharedKey', description: 'That there is one; the key itself is in the files of the two nodes only' });

export const CreatedConfigKey = z
  .object({
    nodeId: z.string(),
    node: z.string(),
    networkId: z.string(),
    createdAt: z.string().meta({ format: 'date-time' }),
    secret: z.string().meta({ description: 'For `Authorization: Bearer`; shown once' }),
  })
  .meta({ id: 'CreatedConfigKey', description: 'Reads this node’s configuration files and nothing else' });

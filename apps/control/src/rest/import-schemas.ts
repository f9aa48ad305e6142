import { parseHostPort } from '@warren/base';
import { z } from 'zod';
import { isName } from '../names.js';
import { ConfSettingsView } from './conf-settings-schemas.js';

/** Text of a person's file; two thousand peers are less. */
const MAX_FILE = 1_000_000;
const MAX_FILES = 500;

const isPrintable = (text: string): boolean => !/\p{Cc}/u.test(text);
const Role = z.enum(['client', 'direct', 'bounce']);
const EndpointText = z.string().refine((text) => parseHostPort(text), 'must be host:port, such as 203.0.113.5:51820');

const WgQuickFile = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(255)
    .refine(isPrintable, 'must have no control characters')
    .meta({ description: 'As it is called on its host, with folders: `laptop.conf`, `laptop/wg0.conf`' }),
  text: z.string().max(MAX_FILE).meta({
    description: 'A wg-quick file with `# PublicKey = …` in place of its `PrivateKey = …` line',
  }),
});

export const ImportFiles = z.strictObject({
  files: z.array(WgQuickFile).min(1).max(MAX_FILES),
  cidrs: z.array(z.string().max(60)).min(1).max(8).optional().meta({ description: 'Absent: found in the files' }),
  endpoints: z
    .record(z.string().refine(isName, 'must be the name of a node'), EndpointText)
    .optional()
    .meta({ description: 'By node name, for those that no file tells' }),
  dryRun: z.boolean().default(false).meta({ description: 'Only say what would be made' }),
});

const ImportNote = z
  .object({
    level: z.enum(['completed', 'not-carried-over', 'conflict']),
    file: z.string().nullable().meta({ description: 'null: about all of them' }),
    line: z.number().int().nullable(),
    message: z.string(),
  })
  .meta({ id: 'ImportNote' });

export const ImportView = z
  .object({
    network: z.string().meta({ description: 'Name of the network' }),
    networkId: z.string().nullable().meta({ description: 'null: it was not made' }),
    cidrs: z.array(z.string()),
    dryRun: z.boolean(),
    nodes: z.array(
      z.object({
        id: z.string().nullable().meta({ description: 'null: it was not made' }),
        name: z.string(),
        role: Role,
        publicKey: z.string(),
        addresses: z.array(z.string()),
        endpoint: z.string().nullable(),
        settings: ConfSettingsView,
        file: z.string().nullable().meta({ description: 'null: known from other files only' }),
      }),
    ),
    presharedKeys: z.number().int().meta({ description: 'How many pairs have one' }),
    report: z.array(ImportNote).meta({ description: 'What was completed, and what was not carried over' }),
  })
  .meta({ id: 'Import' });

export const ExportView = z
  .object({
    network: z.string(),
    networkId: z.string(),
    files: z.array(
      z.object({
        node: z.string().meta({ description: 'Name of the node' }),
        nodeId: z.string(),
        publicKey: z.string(),
        text: z.string().meta({ description: 'Its wg-quick file, with a placeholder for the private key' }),
      }),
    ),
  })
  .meta({ id: 'Export' });

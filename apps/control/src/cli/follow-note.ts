import type { Schemas } from '@warren/client';
import type { RestClient } from './rest-client.js';

/** What REST says of a new member; an older control plane makes no config key with it. */
type Created = Schemas['Node'] & Partial<Pick<Schemas['CreatedNode'], 'configKey'>>;

/** How a new member keeps up with changes: where its peers are, and the key that reads them, shown this once. */
export async function followNote(rest: RestClient, { id, name, configKey }: Created): Promise<string | undefined> {
  if (configKey === undefined) return undefined;
  return [
    `${name} can follow changes (infra/vanilla/README.md, or curl):`,
    `  URL=${await restUrl(rest)}/api/v1/nodes/${id}/peers.conf`,
    `  config key  ${configKey}`,
    `  (shown this once; \`warren node config-key create ${name}\` makes another)`,
  ].join('\n');
}

/** What a file without peers means for its owner; undefined: it has some. */
export const lonely = (name: string, conf: string): string | undefined =>
  /^\[Peer\]/m.test(conf)
    ? undefined
    : `${name} reaches nobody yet: its network has no bounce or direct node (\`warren token create --role bounce\`). When it has, the member needs its file anew`;

/** As this machine reaches REST; a member may need a name of a proxy in front of it. */
async function restUrl(rest: RestClient): Promise<string> {
  const { target } = rest;
  if (target.kind === 'remote') return target.url.replace(/\/+$/, '');
  // The member is made: that this is not known must not look like a failure.
  const { data } = await rest.GET('/api/v1/status').catch(() => ({ data: undefined }));
  return data?.http ?? 'http://CONTROL-PLANE';
}

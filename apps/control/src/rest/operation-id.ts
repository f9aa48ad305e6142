/** Where the rule below would give a poor name; generated clients call their methods by these. */
const NAMED: Readonly<Record<string, string>> = {
  'POST /nodes/:id/rotate-key': 'rotateNodeKey',
  'POST /nodes/:id/clone-seen': 'acceptNodeClone',
  'POST /nodes/:id/config-key': 'createNodeConfigKey',
  'GET /networks/:id/export': 'exportNetwork',
  'GET /nodes/:id/explain': 'getNodeExplanation',
  'GET /events': 'streamEvents',
  'GET /audit': 'listAudit',
  'GET /session/state': 'getSignInState',
  'POST /session': 'signIn',
  'POST /session/link': 'useSignInLink',
  'POST /session/links': 'createSignInLink',
  'GET /session': 'getCurrentSession',
  'DELETE /session': 'signOut',
  'PUT /session/password': 'changePassword',
};
const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PATCH: 'update',
  PUT: 'put',
  DELETE: 'delete',
};

/**
 * The name of an operation: `listNodes`, `createNode`, `getNode`, `getNodePeersConf`, `revokeNode`. A route may name
 * itself by `operationId` in its schema.
 */
export function operationId(method: string, url: string): string {
  const path = url.replace(/^\/api\/v1/, '');
  const named = NAMED[`${method} ${path}`];
  if (named) return named;
  const parts = path.split('/').filter(Boolean);
  const last = parts.at(-1)!;
  const nouns = parts.filter((part) => !part.startsWith(':')).map(pascal);
  const name = nouns.pop()!;
  const owner = nouns.map(singular).join('');
  if (last.startsWith(':')) return `${VERBS[method]}${owner}${singular(name)}`;
  const isList = singular(name) !== name;
  if (method === 'GET' && isList) return `list${owner}${name}`;
  if (method === 'POST' && !isList) return `${name[0]!.toLowerCase()}${name.slice(1)}${owner}`;
  return `${VERBS[method]}${owner}${method === 'POST' ? singular(name) : name}`;
}

const pascal = (part: string): string =>
  part
    .replace('apikeys', 'api-keys')
    .split(/[-.]/)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');

function singular(name: string): string {
  if (/ss$|us$/i.test(name)) return name;
  return name.endsWith('esses') ? name.slice(0, -2) : name.replace(/s$/, '');
}

import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../../testing/control-plane.fixture.js';
import { ADDRESS_CONTRACTS } from './addresses.fixture.js';
import { ADMIN_CONTRACTS } from './admin.fixture.js';
import { contractTests } from './cases.fixture.js';
import { CONFIG_CONTRACTS } from './configs.fixture.js';
import { type Contracts, World } from './engine.fixture.js';
import { EVENT_CONTRACTS } from './events.fixture.js';
import { IMPORT_CONTRACTS } from './imports.fixture.js';
import { KEY_ROTATION_CONTRACTS } from './key-rotation.fixture.js';
import { NETWORK_CONTRACTS } from './networks.fixture.js';
import { NODE_CONTRACTS } from './nodes.fixture.js';
import { SESSION_CONTRACTS } from './sessions.fixture.js';
import { SIGNAL_CONTRACTS } from './signals.fixture.js';
import { TELEMETRY_CONTRACTS } from './telemetry.fixture.js';
import { TOKEN_CONTRACTS } from './tokens.fixture.js';
import { VANILLA_CONTRACTS } from './vanilla.fixture.js';

/** A new route gets an entry in one of these, or a file of its own beside them. */
const ALL: Readonly<Record<string, Contracts>> = {
  networks: NETWORK_CONTRACTS,
  addresses: ADDRESS_CONTRACTS,
  'import and export': IMPORT_CONTRACTS,
  nodes: NODE_CONTRACTS,
  'keys of agents': KEY_ROTATION_CONTRACTS,
  'configuration files': CONFIG_CONTRACTS,
  tokens: TOKEN_CONTRACTS,
  'vanilla members': VANILLA_CONTRACTS,
  telemetry: TELEMETRY_CONTRACTS,
  'signal servers': SIGNAL_CONTRACTS,
  events: EVENT_CONTRACTS,
  administration: ADMIN_CONTRACTS,
  sessions: SESSION_CONTRACTS,
};

let plane: TestPlane;
let opened: World;
beforeAll(async () => {
  const often = { atOnce: 1e6, perSecond: 1e6 };
  const rates = { requests: often, failures: often, signIns: { perAddress: often, perName: often } };
  plane = await startTestPlane({ rates });
  opened = await World.open(plane);
});
afterAll(() => plane?.stop());

it('every operation of the document has its contract, and no contract is left over', () => {
  const operations = opened.routes.map(({ operation }) => operation.operationId).sort();
  const contracts = Object.values(ALL).flatMap((table) => Object.keys(table));
  expect(contracts.sort(), 'add an entry to a table in src/rest/contract').toEqual(operations);
  expect(new Set(operations).size).toBe(operations.length);
});

it('every route of the API is in the document', () => {
  const documented = opened.routes.map(({ method, path }) => `${method} ${path}`).sort();
  const routes = plane.rest.routes.filter(({ url, method }) => url.startsWith('/api/v1/') && method !== 'HEAD');
  expect(routes.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`).sort()).toEqual(documented);
});

it('the document is OpenAPI 3.1 to a public validator', async () => {
  const validator = new Validator();
  expect(await validator.validate({ ...structuredClone(opened.document) })).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

for (const [resource, contracts] of Object.entries(ALL)) contractTests(resource, contracts, () => opened);

import { afterAll, beforeAll, describe } from 'vitest';
import type { Store } from '../store-api.js';
import { openTestStore } from '../testing/members.js';
import { embeddedServer, freshDatabase, type TestServer } from '../testing/servers.js';
import { addressingSuite } from './addressing.suite.js';
import { bouncesSuite } from './bounces.suite.js';
import { changesSuite } from './changes.suite.js';
import { ephemeralSuite } from './ephemeral.suite.js';
import { importsSuite } from './imports.suite.js';
import { keepingSuite } from './keeping.suite.js';
import { keyRotationsSuite } from './key-rotations.suite.js';
import { lifecycleSuite } from './lifecycle.suite.js';
import { membersSuite } from './members.suite.js';
import { requestsSuite } from './requests.suite.js';
import { sessionsSuite } from './sessions.suite.js';
import { sightingsSuite } from './sightings.suite.js';
import { signalsSuite } from './signals.suite.js';
import { vanillaSuite } from './vanilla.suite.js';

describe('the store on the embedded PostgreSQL', () => {
  let server: TestServer | undefined;
  let store: Store | undefined;
  let url = '';
  beforeAll(async () => {
    server = await embeddedServer();
    url = await freshDatabase(server);
    store = await openTestStore(url);
  });
  afterAll(async () => {
    await store?.close();
    await server?.close();
  });
  const given = () => ({ store: store!, url });
  membersSuite(given);
  importsSuite(given);
  keepingSuite(given);
  keyRotationsSuite(given);
  changesSuite(given);
  addressingSuite(given);
  bouncesSuite(given);
  ephemeralSuite(given);
  requestsSuite(given);
  lifecycleSuite(given);
  sessionsSuite(given);
  signalsSuite(given);
  sightingsSuite(given);
  vanillaSuite(given);
});

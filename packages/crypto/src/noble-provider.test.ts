import { nobleProvider } from './noble-provider.js';
import { cryptoProviderSuite } from './provider.suite.js';

cryptoProviderSuite('noble', () => nobleProvider);

import { Page } from '../../ui/page.js';

export const ApiKeysPage = () => <Page title="API keys">{null}</Page>;

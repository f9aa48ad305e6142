import { Page } from '../../ui/page.js';

export const TokensPage = () => <Page title="Tokens">{null}</Page>;

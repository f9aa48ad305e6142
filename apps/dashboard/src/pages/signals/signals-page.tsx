import { Page } from '../../ui/page.js';

export const SignalsPage = () => <Page title="Signal servers">{null}</Page>;

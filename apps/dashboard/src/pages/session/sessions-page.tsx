import { Page } from '../../ui/page.js';

export const SessionsPage = () => <Page title="Sessions">{null}</Page>;

import { Page } from '../../ui/page.js';

export const LogPage = () => <Page title="Log of changes">{null}</Page>;

import { Page } from '../../ui/page.js';

export const Welcome = () => <Page title="Welcome">{null}</Page>;

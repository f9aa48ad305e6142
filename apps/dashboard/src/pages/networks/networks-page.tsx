import { Page } from '../../ui/page.js';

export const NetworksPage = () => <Page title="Networks">{null}</Page>;

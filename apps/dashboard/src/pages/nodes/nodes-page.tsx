import { Page } from '../../ui/page.js';

export const NodesPage = () => <Page title="Nodes">{null}</Page>;

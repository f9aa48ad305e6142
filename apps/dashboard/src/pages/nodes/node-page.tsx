import { Page } from '../../ui/page.js';

export const NodePage = () => <Page title="Node">{null}</Page>;

import { Page } from '../../ui/page.js';

export const TopologyPage = () => <Page title="Topology">{null}</Page>;

import { Page } from '../../ui/page.js';

export const HealthPage = () => <Page title="Health">{null}</Page>;

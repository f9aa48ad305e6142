import { Page } from '../../ui/page.js';

export const SettingsPage = () => <Page title="Network settings">{null}</Page>;

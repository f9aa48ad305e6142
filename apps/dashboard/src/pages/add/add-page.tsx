import { Page } from '../../ui/page.js';

export const AddPage = () => <Page title="Add a peer">{null}</Page>;

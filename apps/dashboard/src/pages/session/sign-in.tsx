import { Page } from '../../ui/page.js';

export const SignIn = () => <Page title="Sign in">{null}</Page>;

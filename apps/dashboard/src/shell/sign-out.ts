import { messageOf } from '../api/client.js';
import { endSession, forgetSession } from '../api/session.js';
import { router } from '../router.js';
import { toast } from '../ui/toast.js';

export async function signOut(): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    // Somebody who believes to be signed out must be.
    toast.bad(`you are still signed in: ${messageOf(error)}`);
    return;
  }
  await forgetSession(() => router.navigate({ to: '/sign-in', search: {} }));
}

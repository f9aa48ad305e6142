import { renderWgQuick, type WgQuickConf } from './wg-quick.js';

/**
 * The file for the app of a phone, as a QR code holds it: without what is for wg-quick on a computer, because the apps refuse
 * a file with a key that they do not know, and without comments.
 */
export function renderPhoneConf({
  interface: { addresses, dns, listenPort, mtu, privateKey },
  peers,
}: WgQuickConf): string {
  const kept = { addresses, dns, preUp: [], postUp: [], preDown: [], postDown: [] };
  return renderWgQuick({
    interface: {
      ...kept,
      ...(privateKey !== undefined && { privateKey }),
      ...(listenPort !== undefined && { listenPort }),
      ...(mtu !== undefined && { mtu }),
    },
    peers: peers.map(({ name: _, ...peer }) => peer),
  });
}

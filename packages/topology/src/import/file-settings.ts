import { parseEndpoint } from '@warren/base';
import type { ConfSettings } from '../conf-settings.js';
import { confSettingsProblem, MAX_COMMAND_LENGTH } from '../conf-settings-check.js';
import type { Role } from '../model.js';
import { CLIENT_KEEPALIVE } from '../model.js';
import type { WgQuickConf, WgQuickPeer } from '../wg-quick.js';
import type { ImportSource } from './import-members.js';
import type { ImportReport } from './import-plan.js';

/** What our files of bounces have anyway. */
const FORWARDING = /^sysctl\s+(-[qw]+\s+)*net\.ipv(4\.ip_forward|6\.conf\.all\.forwarding)\s*=\s*1$/;
const KEY_COMMAND = /^wg set (?:%i|[\w.-]+) private-key <\((.*)\)$/;

/** With SaveConfig wg-quick writes down where a peer was last heard from: that may be no address to dial. */
export const mayBeLearned = ({ interface: section }: WgQuickConf, { endpoint }: WgQuickPeer): boolean =>
  section.saveConfig === true && endpoint !== undefined && parseEndpoint(endpoint) !== undefined;

/** Whether commands of the file make its host forward packets. */
export const forwards = ({ conf }: ImportSource): boolean =>
  [...conf.interface.preUp, ...conf.interface.postUp].some(
    (command) =>
      // The pattern takes the square of what it is given, and no longer command is kept.
      command.length <= MAX_COMMAND_LENGTH &&
      /ip_forward\b.*1|forwarding\b.*=\s*1|-[AI]\s+FORWARD\b.*-j\s+ACCEPT|\bufw\s+route\s+allow\b/.test(command),
  );

/** What a file holds besides key, addresses and peers, as settings of its node. */
export function settingsOf(source: ImportSource, role: Role, report: ImportReport): ConfSettings {
  const all = Object.entries(readSettings(source, role, report));
  return Object.fromEntries(
    all.filter(([key, value]) => {
      const problem = confSettingsProblem({ [key]: value }, 'node');
      if (problem !== undefined) report.add('not-carried-over', problem, source.file);
      return problem === undefined;
    }),
  );
}

function readSettings(source: ImportSource, role: Role, report: ImportReport): ConfSettings {
  const { dns, table, mtu, listenPort, fwMark, saveConfig, preUp, preDown, postDown } = source.conf.interface;
  const command = source.conf.interface.postUp.map((line) => KEY_COMMAND.exec(line)?.[1]).find((found) => found);
  const isOurs = (line: string): boolean => KEY_COMMAND.test(line) || (role === 'bounce' && FORWARDING.test(line));
  const postUp = source.conf.interface.postUp.filter((line) => !isOurs(line));
  const keepalive = keepaliveOf(source, role, report);
  const lists = Object.entries({ dns, preUp, postUp, preDown, postDown }).filter(([, list]) => list.length > 0);
  return {
    ...Object.fromEntries(lists),
    ...(table !== undefined && { table }),
    ...(mtu !== undefined && mtu > 0 && { mtu }),
    ...(listenPort !== undefined && listenPort > 0 && { listenPort }),
    ...(fwMark !== undefined && fwMark > 0 && { fwMark }),
    ...(saveConfig !== undefined && { saveConfig }),
    ...(keepalive !== undefined && { persistentKeepalive: keepalive }),
    ...(command !== undefined && { privateKeyCommand: command }),
  };
}

/** One for all whom the host dials. @returns undefined when it is what a node of its role has anyway. */
function keepaliveOf({ conf, file }: ImportSource, role: Role, report: ImportReport): number | undefined {
  const usual = role === 'client' ? CLIENT_KEEPALIVE : 0;
  const said = (peer: WgQuickPeer): number => peer.persistentKeepalive ?? 0;
  const dials = (peer: WgQuickPeer): boolean => peer.endpoint !== undefined && !mayBeLearned(conf, peer);
  if (conf.peers.some((peer) => !dials(peer) && said(peer) > 0)) {
    const message = 'PersistentKeepalive towards peers without Endpoint: they keep the way open themselves';
    report.add('not-carried-over', message, file);
  }
  const dialled = conf.peers.filter(dials).map(said);
  const values = [...new Set(dialled.filter((value) => value > 0))].sort((a, b) => a - b);
  const chosen = values[0] ?? usual;
  if (values.length > 1) {
    report.add('not-carried-over', `PersistentKeepalive is ${values.join(', ')}: ${chosen} for all of them now`, file);
  }
  if (chosen > 0 && dialled.includes(0)) {
    const whom = values.length === 0 ? 'the peers that it dials' : 'all peers that it dials';
    report.add('completed', `PersistentKeepalive = ${chosen} towards ${whom}, so that they reach it`, file);
  }
  return chosen === usual ? undefined : chosen;
}

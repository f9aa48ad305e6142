export {
  type AddressSet,
  type AddressSpace,
  type AddressSpan,
  endsOf,
  isUsable,
  lowestFree,
  mirrorOf,
  narrowestOf,
  poolsOf,
  spanKey,
  spansIn,
  spansOf,
} from './addressing.js';
export { type CheckedCidrs, type CidrClash, checkCidrs, clashesWith } from './cidrs.js';
export { compileChange, decideNetwork } from './compile-change.js';
export type { ConfSettings } from './conf-settings.js';
export {
  type ConfHook,
  type ConfSettingsPatch,
  confSettingsProblem,
  effectiveSettings,
  HOOKS,
  hooksOf,
  mergeConfSettings,
} from './conf-settings-check.js';
export { decide } from './decide.js';
export { chooseHome } from './home.js';
export { type ExportedFile, exportFiles } from './import/export-files.js';
export type {
  ImportFile,
  ImportLevel,
  ImportNote,
  ImportOptions,
  ImportPlan,
  PlannedNode,
  PlannedPresharedKey,
} from './import/import-plan.js';
export { planImport } from './import/plan-import.js';
export { findPrivateKeys, type RedactedConf, withoutPrivateKeys } from './import/private-keys.js';
export { KEY_WARNING_PART, keyWarningMs, LONGEST_KEY_WARNING } from './key-life.js';
export { link } from './link.js';
export {
  CLIENT_KEEPALIVE,
  DEFAULT_MTU,
  type DecidedNetwork,
  type Facts,
  type Network,
  type NetworkNode,
  type NodeKind,
  type NodeStatus,
  type Peer,
  type PeerMap,
  type PeerMapDelta,
  type PreviousKey,
  pairId,
  ROLES,
  type Role,
  type SignedRecord,
} from './model.js';
export {
  type ConfSubject,
  completePeersConf,
  renderNetworkPeersConf,
  renderPeersConf,
  renderWg0Conf,
  type Wg0ConfOptions,
  wg0ConfOptions,
} from './node-conf.js';
export { NODE_NAME_RULE, nodeNameFromHostname, parseNodeName } from './node-name.js';
export { applyPeers, diffPeers, filePeersOf, isEmptyDelta, peersOf, samePeer, sameSecret } from './peer-map.js';
export { renderPhoneConf } from './phone-conf.js';
export { checkAddresses, checkPools, checkReservation } from './pools.js';
export { type AddressedNode, movePrefix, planRenumbering, type RenumberPlan, type Reservation } from './renumber.js';
export {
  type InterfaceAddress,
  PRIVATE_KEY_PLACEHOLDER,
  renderWgQuick,
  renderWgQuickPeers,
  type WgQuickConf,
  type WgQuickInterface,
  type WgQuickPeer,
} from './wg-quick.js';
export { isWgQuickProblem, parseWgQuick, type WgQuickProblem } from './wg-quick-parse.js';

/** RFC 4787 §4.1 (mapping) and §5 (filtering). `none`: no translation, nothing filtered; `unknown`: could not be found out. */
export type NatBehaviour =
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent'
  | 'none'
  | 'unknown';

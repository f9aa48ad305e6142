/*
 * Known answers. Hexadecimal throughout.
 */

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

/** "abc": RFC 7693 appendix B. The others: the reference implementation (Python's hashlib), around the 64-byte block. */
export const BLAKE2S: readonly { readonly what: string; readonly input: () => Uint8Array; readonly digest: string }[] =
  [
    {
      what: '"abc"',
      input: () => ascii('abc'),
      digest: '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
    },
    {
      what: '0 bytes',
      input: () => counting(0),
      digest: '69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9',
    },
    {
      what: '1 bytes',
      input: () => counting(1),
      digest: 'e34d74dbaf4ff4c6abd871cc220451d2ea2648846c7757fbaac82fe51ad64bea',
    },
    {
      what: '55 bytes',
      input: () => counting(55),
      digest: 'f4495470f226c8c214be08fdfad4bc4a2a9dbea9136a210df0d4b64929e6fc14',
    },
    {
      what: '63 bytes',
      input: () => counting(63),
      digest: 'e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3',
    },
    {
      what: '64 bytes',
      input: () => counting(64),
      digest: '56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e',
    },
    {
      what: '65 bytes',
      input: () => counting(65),
      digest: '1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472',
    },
    {
      what: '127 bytes',
      input: () => counting(127),
      digest: 'f18417b39d617ab1c18fdf91ebd0fc6d5516bb34cf39364037bce81fa04cecb1',
    },
    {
      what: '128 bytes',
      input: () => counting(128),
      digest: '1fa877de67259d19863a2a34bcc6962a2b25fcbf5cbecd7ede8f1fa36688a796',
    },
    {
      what: '129 bytes',
      input: () => counting(129),
      digest: '5bd169e67c82c2c2e98ef7008bdf261f2ddf30b1c00f9e7f275bb3e8a28dc9a2',
    },
    {
      what: '1000 bytes',
      input: () => counting(1000),
      digest: '1c067a5e746fb0f6734efac9a8cdb0e11061f0077f255184365c690115392501',
    },
  ];

/** Keys count up from 1, inputs from 0 modulo 251. Reference implementation (Python's hashlib). */
export const KEYED_BLAKE2S = [
  { keyLength: 1, length: 0, mac: '95714fec355dea0dda4da4bebf429e17' },
  { keyLength: 16, length: 3, mac: 'a36efad7feea94fe500cb8370c4ddcbd' },
  { keyLength: 32, length: 0, mac: '1b7fb3c33429a975524ac696a8d8070c' },
  { keyLength: 32, length: 64, mac: '5011f396858435d2f64bb42387c38f4e' },
  { keyLength: 32, length: 116, mac: '57dc0e6cdcd13dfea0bf22173b0f3f1e' },
  { keyLength: 32, length: 132, mac: 'caf432f19d3436d90ce97a5f2c57b025' },
  { keyLength: 16, length: 1000, mac: '59d763fd953fac9f2be0dd410f73d9ad' },
] as const;

/** As above, by Python's hmac. */
export const HMAC_BLAKE2S = [
  { keyLength: 32, length: 0, mac: '415e9b4d3980426d4035d9a83fea764b343f7268672ebf9a667a6c308967024a' },
  { keyLength: 32, length: 1, mac: '9ebfc803f5aa5c6bd5833dee98e47d3a87dd3047a7cc1668f581dd971e6fe895' },
  { keyLength: 32, length: 32, mac: '6e9ef09b7132d1a36865111772502c459df9ff9716df01af4dd29b824abb5375' },
  { keyLength: 64, length: 64, mac: 'e1a92a122ab5b17f0825a8eae4b0abf57cd010d0f1e46276e0e9bf2f1335b59a' },
  { keyLength: 65, length: 100, mac: '16184b01bef166088b5d37e5535ad2ac82e2e766495cd8ec4d2168c36ea307a3' },
  { keyLength: 128, length: 32, mac: '7a94476aa53e1f8a9aff2d1171fc933f3b43d8b2331df783fb298193819bc663' },
] as const;

/** RFC 7748 §5.2 and §6.1. */
export const X25519 = [
  {
    what: '§5.2, first vector',
    scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    point: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    product: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  },
  {
    what: '§5.2, second vector',
    scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    point: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    product: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  },
  {
    what: '§6.1, the shared secret as Alice computes it',
    scalar: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    point: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    product: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
  {
    what: '§6.1, the shared secret as Bob computes it',
    scalar: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    point: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    product: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
] as const;

/** The points whose order divides 8, on the curve and its twist, with their non-canonical encodings. */
export const LOW_ORDER_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
] as const;

const SUNSCREEN =
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";

/**
 * RFC 8439 §2.8.2. Its nonce does not begin with four zeros, so a provider cannot be asked for it; it vouches for the
 * OpenSSL that providers are compared with.
 */
export const AEAD = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '070000004041424344454647',
  associatedData: '50515253c0c1c2c3c4c5c6c7',
  plaintext: ascii(SUNSCREEN),
  sealed:
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
} as const;

/** draft-irtf-cfrg-xchacha §A.3.1. */
export const XCHACHA = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
  associatedData: '50515253c0c1c2c3c4c5c6c7',
  plaintext: ascii(SUNSCREEN),
  sealed:
    'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
} as const;

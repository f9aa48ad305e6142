import type { Schemas } from '@warren/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect } from './arguments.js';
import { given } from './command.js';

/** What the options below give. */
export interface SettingsOptions {
  readonly dns?: string[];
  readonly table?: string;
  readonly mtu?: number | undefined;
  readonly listenPort?: number;
  readonly fwMark?: number;
  readonly saveConfig?: boolean;
  readonly preUp?: string[];
  readonly postUp?: string[];
  readonly preDown?: string[];
  readonly postDown?: string[];
  readonly persistentKeepalive?: number;
  readonly privateKeyCommand?: string;
  readonly unset?: string[];
}

type Settings = Schemas['ConfSettingsChangeInput'];
const KEYS = [
  ...['dns', 'table', 'mtu', 'listenPort', 'fwMark', 'saveConfig', 'preUp', 'postUp', 'preDown', 'postDown'],
  ...['persistentKeepalive', 'privateKeyCommand'],
] as readonly (keyof Settings)[];

const number = (text: string): number => {
  if (text === 'off') return 0;
  if (!/^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text)) throw new InvalidArgumentError('It must be a number, or off.');
  return Number(text);
};
const flag = (text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('It must be true or false.');
  return text === 'true';
};
const dashed = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The settings of wg-quick files, of a node or as defaults of a network. */
export function settingsOptions(command: Command, of: 'node' | 'network'): Command {
  const hook = 'a command of the file, for wg-quick to run there (never run by Warren); may be repeated';
  const own = ['mtu', 'listenPort'];
  const keys = KEYS.filter((key) => of === 'node' || !own.includes(key)).map(dashed);
  command.option('--dns <address>', 'a resolver or search domain of the file; may be repeated', collect);
  command.option('--table <table>', 'Table of the file: off, auto or a number');
  if (of === 'node') {
    command.option('--mtu <bytes>', 'MTU of the file', number);
    command.option('--listen-port <port>', 'ListenPort of the file', number);
  }
  return command
    .option('--fw-mark <mark>', 'FwMark of the file, or off', number)
    .option('--save-config <true|false>', 'SaveConfig of the file', flag)
    .option('--pre-up <command>', hook, collect)
    .option('--post-up <command>', hook, collect)
    .option('--pre-down <command>', hook, collect)
    .option('--post-down <command>', hook, collect)
    .option('--persistent-keepalive <seconds>', 'towards whoever has an endpoint, or off; agents too', number)
    .option('--private-key-command <command>', 'prints the private key on the member; the file then has none')
    .addOption(
      new Option('--unset <setting>', 'back to the default; may be repeated').choices(keys).argParser((text, all) => {
        if (!keys.includes(text)) throw new InvalidArgumentError(`It must be one of ${keys.join(', ')}.`);
        return collect(text, all as string[] | undefined);
      }),
    );
}

/** What was given of them, as REST takes it; undefined: nothing was. */
export function settingsGiven(options: SettingsOptions): Settings | undefined {
  const unset = KEYS.filter((key) => options.unset?.includes(dashed(key))).map((key) => [key, null] as const);
  const set = Object.fromEntries(KEYS.map((key) => [key, options[key as keyof SettingsOptions]]));
  const all = { ...given(set), ...Object.fromEntries(unset) };
  return Object.keys(all).length === 0 ? undefined : (all as Settings);
}

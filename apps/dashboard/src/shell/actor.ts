/** Who did something, as the log has it (`local`, `apikey:ID`, …), in words; nodes and keys without their names. */
export function actorText(actor: string, nameOf: (kind: 'apikey', id: string) => string | undefined): string {
  const [kind = '', ...rest] = actor.split(':');
  const id = rest.join(':');
  const short = id.slice(0, 8);
  switch (kind) {
    case 'local':
      return 'The local warren command';
    case 'control':
      return 'The control plane';
    case 'nobody':
      return 'Nobody';
    case 'user':
      return id;
    case 'apikey':
      return `API key “${nameOf('apikey', id) ?? short}”`;
    case 'token':
      return `join token ${short}`;
    case 'node':
      return `The node ${short}`;
    default:
      return actor;
  }
}

// Ready-to-copy commands with the server's real address, the channel, the platform and, where there is one, the token.

export interface Use {
  origin: string;
  namespace: string;
  name: string;
  fullName: string;
  channel: string;
  /** Whether it is what those get who ask for no channel. */
  defaultChannel: boolean;
  platform: string;
  isPrivate: boolean;
  /** The package's access token, for those who may see it. */
  token: string | undefined;
  version: string;
}

/** For what a shell must not read: names here have no such characters, but an address that an operator set may. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const variable = '$PACKHOUSE_TOKEN';

function prefix(use: Use): string {
  return use.isPrivate && use.token ? `${use.origin}/t/${use.token}` : use.origin;
}

function header(use: Use): string {
  return use.isPrivate && !use.token ? `-H "Authorization: Bearer ${variable}" ` : '';
}

function environment(use: Use): string {
  return use.isPrivate && use.token ? `PACKHOUSE_TOKEN=${use.token} ` : '';
}

export function curl(use: Use): string {
  const address = `${prefix(use)}/download/${use.namespace}/${use.name}/${use.channel}/latest/${use.platform}`;
  return `curl -fLOJ ${header(use)}${quoted(address)}`;
}

export function sync(use: Use): string {
  const channel = use.defaultChannel ? '' : ` --channel ${use.channel}`;
  return `${environment(use)}packhouse sync ${quoted(use.origin)} packhouse-index${channel}`;
}

export function install(use: Use): string {
  const channel = use.defaultChannel ? '' : ` --channel ${use.channel}`;
  const platform = use.platform === 'any' ? '' : ` --platform ${use.platform}`;
  return `${environment(use)}packhouse install ${use.fullName} --into packages --url ${quoted(use.origin)}${channel}${platform}`;
}

export function updatesUrl(use: Use): string {
  const query = new URLSearchParams({ id: use.fullName, channel: use.channel, platform: use.platform, version: use.version });
  return `${prefix(use)}/api/v1/updates?${query.toString()}`;
}

export function updatesCurl(use: Use): string {
  return `curl ${header(use)}'${updatesUrl(use).replaceAll("'", "'\\''")}'`;
}

export function updatesCli(use: Use): string {
  return `${environment(use)}packhouse updates ${quoted(use.origin)} --id ${use.fullName} --channel ${use.channel} --platform ${use.platform} --version ${use.version}`;
}

export function registry(use: Use): string {
  return `${prefix(use)}${use.defaultChannel ? '' : `/channels/${use.channel}`}/v2/`;
}

export function kit(use: Use): string {
  const url = `${prefix(use)}${use.defaultChannel ? '' : `/channels/${use.channel}`}/kit/v2`;
  return `[settings.app.extensions]\nregistries = [\n  { name = "packhouse", url = "${url}" },\n]`;
}

export function publish(use: Use): string {
  return `packhouse publish ${quoted(use.origin)} FILE --package ${use.fullName} --version VERSION --channel ${use.channel} --platform ${use.platform}`;
}

export function publishCurl(use: Use): string {
  const address = `${use.origin}/api/v1/packages/${use.namespace}/${use.name}/releases/${use.channel}/VERSION/files/${use.platform}/FILE?create=active`;
  return `curl --fail -T FILE -H "Authorization: Bearer ${variable}" "${address}"`;
}

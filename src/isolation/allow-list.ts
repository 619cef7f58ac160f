/** Whether a host and port may be reached. Names are compared as they are written, without regard to case. */
export type IsAllowed = (host: string, port: number) => boolean;

interface Entry {
  readonly host: string;
  /** Null: the ports of HTTP and HTTPS. */
  readonly port: number | null;
}

/** The entries are `host`, `host:port`, or either with `*.` before it, which stands for one or more labels. */
export function allowList(entries: readonly string[]): IsAllowed {
  const known = entries.map(parseEntry);
  return (host, port) => {
    const name = host.toLowerCase();
    return known.some((entry) => (entry.port === null ? port === 80 || port === 443 : port === entry.port) && matches(entry.host, name));
  };
}

/** The ports of this machine's own loopback that entries name, each once. */
export function loopbackPorts(entries: readonly string[]): number[] {
  const ports = entries.map(parseEntry).flatMap(({ host, port }) => (isLoopback(host) ? (port === null ? [80, 443] : [port]) : []));
  return [...new Set(ports)];
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

/**
 * What an agent's own variables say of where its provider is: the hosts of `..._BASE_URL`, `..._URL` and `..._ENDPOINT`. They
 * come from the home's configuration and the daemon's environment, never from a repository.
 */
export function hostsOfVariables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!/_(?:URL|ENDPOINT|API_BASE)$/u.test(name) || !/^https?:\/\//iu.test(value) || !URL.canParse(value)) return [];
    const { protocol, hostname, port } = new URL(value);
    return [`${hostname}:${port || (protocol === "https:" ? "443" : "80")}`];
  });
}

function parseEntry(entry: string): Entry {
  const { host = entry, port } = /^(?<host>.*?)(?::(?<port>\d+))?$/u.exec(entry)?.groups ?? {};
  return { host: host.toLowerCase(), port: port === undefined ? null : Number(port) };
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) && name.length >= pattern.length : name === pattern;
}

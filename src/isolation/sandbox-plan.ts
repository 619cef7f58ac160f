/** What the sandbox program is told, as a JSON file. */
export interface SandboxPlan {
  /** The sandbox and the command in it. `@PROXY_PORT@` stands for the port of the proxy. */
  readonly argv: readonly [string, ...string[]];
  /** Where Node.js keeps what it made of the program's own source; nothing of the command's. */
  readonly compileCache: string;
  /** Where the proxy leads: entries of an allow-list. */
  readonly hosts: readonly string[];
  /**
   * Of a sandbox with a network of its own: the port of the proxy in it, and those that lead to the same port outside. It
   * begins by handing over listening sockets for them. Null: the network is the machine's.
   */
  readonly inside: { readonly proxyPort: number; readonly ports: readonly number[] } | null;
}

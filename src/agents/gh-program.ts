import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { quote } from "../process/script.ts";

/** Where an agent's `gh` asks. */
export interface BrokerTarget {
  /** A folder of the run's own, for the programs. */
  readonly folder: string;
  readonly url: string;
  readonly token: string;
  /** The socket that leads to the same where the daemon's loopback can't be reached. */
  readonly reach: string;
}

const SOURCES = ["main.ts", "arguments.ts", "text.ts"] as const;

/** What git runs for the `origin` of a workspace (gitremote-helpers): nothing leaves by it, and it says so at once. */
const REMOTE = `#!/bin/sh
# git-remote-drover: the remote of a workspace, which takes and gives nothing.
while IFS= read -r line; do
	case $line in
	capabilities) printf 'fetch\\npush\\n\\n' ;;
	'list for-push') echo ;;
	list*)
		echo 'Drover has fetched the base branch: origin/ has all there is.' >&2
		exit 1
		;;
	push*) printf 'error %s %s\\n' "\${line##*:}" 'Drover pushes this branch itself, when the work is verified: commit, and end' ;;
	'') echo ;;
	esac
done
`;

/**
 * The programs that stand first on an agent's PATH, with the files that they need, and what its environment says besides. They
 * know the token of the run; the environment does not. Git asks nobody for a password, and no helper that would know one.
 */
export function ghProgram({ folder, ...place }: BrokerTarget): {
  readonly files: Readonly<Record<string, string>>;
  readonly env: (path: string) => Readonly<Record<string, string>>;
} {
  const gh = join(folder, "gh");
  const source = join(folder, "source");
  const start = `#!/bin/sh\nunset NODE_OPTIONS\nexec ${quote(process.execPath)} ${quote(join(source, "main.ts"))} "$@"\n`;
  return {
    files: {
      ...Object.fromEntries(SOURCES.map((name) => [join(source, name), readFileSync(new URL(`gh/${name}`, import.meta.url), "utf8")])),
      [join(source, "package.json")]: '{ "type": "module" }\n',
      [join(source, "place.json")]: JSON.stringify(place),
      [join(folder, "git-remote-drover")]: REMOTE,
      [gh]: start,
    },
    env: (path) => ({
      PATH: `${folder}${delimiter}${path}`,
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "credential.helper",
      GIT_CONFIG_VALUE_0: "",
    }),
  };
}

/**
 * Lint rules of our own, loaded by oxlint (`jsPlugins` in `.oxlintrc.json`). They see the syntax tree only, so they are kept to what
 * can be told from one node.
 */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly computed?: boolean;
  readonly arguments?: readonly Node[];
  readonly callee?: Node;
  readonly key?: Node;
}
interface Context {
  report(problem: { node: Node; message: string }): void;
}

/** `shell: true` hands a string to a shell, and with it whatever an issue's author wrote. */
const noShell = {
  create: (context: Context) => ({
    Property(node: Node) {
      const name = node.key?.name ?? node.key?.value;
      const value = node.value as Node;
      if (name !== "shell" || node.computed || (value.type === "Literal" && value.value === false)) return;
      context.report({ node, message: "No shell: spawn a program with a list of arguments." });
    },
  }),
};

/** `new Date()` reads the clock of the machine, which the simulator and the tests cannot move. */
const noHiddenTime = {
  create: (context: Context) => ({
    NewExpression(node: Node) {
      if (node.callee?.name !== "Date" || node.arguments?.length !== 0) return;
      context.report({ node, message: "Take a Clock (base/clock.ts) and give the time: `new Date(at)`." });
    },
  }),
};

export default { meta: { name: "drover" }, rules: { "no-shell": noShell, "no-hidden-time": noHiddenTime } };

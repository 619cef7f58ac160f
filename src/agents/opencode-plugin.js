import { appendFileSync } from "node:fs";

/**
 * Loaded by OpenCode (https://opencode.ai/docs/plugins) out of its configuration folder: appends what the agent does to its run's spool, in
 * the form that the hooks of other agents have. JavaScript as it is, since OpenCode may have no types to leave out.
 */
export const DroverHooks = async () => {
  const spool = process.env["DROVER_HOOK_SPOOL"];
  return spool === undefined ? {} : hooksInto(spool);
};

/** Events that are told as they are. */
const TOLD = new Set(["session.created", "session.compacted", "session.error", "session.idle"]);

function hooksInto(spool) {
  const failed = new Set();
  const tell = (name, { sessionID, ...more }) => {
    try {
      appendFileSync(spool, `${JSON.stringify({ hook_event_name: name, session_id: sessionID, ...more })}\n`);
    } catch {
      // No hook may hold up the agent.
    }
  };
  return {
    "tool.execute.after": async ({ tool, sessionID, callID, args }, { title, output, metadata }) =>
      tell("tool.execute.after", {
        sessionID,
        tool_name: tool,
        tool_use_id: callID,
        tool_input: args,
        tool_response: { title, output, metadata },
      }),
    event: async ({ event: { type, properties } }) => {
      if (TOLD.has(type) || (type === "session.status" && properties.status.type === "retry")) tell(type, properties);
      const call = type === "message.part.updated" && properties.part.type === "tool" ? properties.part : undefined;
      // It is told of again and again.
      if (call?.state.status !== "error" || failed.has(call.callID)) return;
      failed.add(call.callID);
      const { sessionID, tool, callID, state } = call;
      tell("tool.execute.error", { sessionID, tool_name: tool, tool_use_id: callID, tool_input: state.input, error: state.error });
    },
  };
}
